/**
 * What somebody on the bus sees and can do. The interposer hears every byte between client and swtpm; the secrets it
 * must not hear are known here, because the test plays the service. Oracle of the session arithmetic: the TPM, which
 * refuses a command with a wrong HMAC, and OpenSSL for the signatures.
 */
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { joinActivationBlob } from '@endorse/protocol';
import type { TpmSecurityClientOptions } from '@endorse/security-tpm';
import { commands, createActivation, decodeTpm2bPublic, encapsulateSecret, handles } from '@endorse/tpm2';
import { readTpmSnapshot } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { activateFresh, hmac, probe, startTpm, wrapKey } from './support/client-fixture.ts';
import type { TpmFixture } from './support/client-fixture.ts';
import type { PassedCommand } from './support/interposer.ts';

const contains = (passed: readonly PassedCommand[], needle: Uint8Array): string[] =>
  passed
    .filter(({ command, response }) =>
      [command, response ?? new Uint8Array(0)].some((bytes) =>
        Buffer.from(bytes).includes(Buffer.from(needle)),
      ),
    )
    .map(({ name }) => name);

async function listenToActivation(
  tpm: TpmFixture,
  options: Partial<TpmSecurityClientOptions>,
): Promise<{ readonly innerKey: Uint8Array; readonly signature: Uint8Array }> {
  const client = await tpm.open(options);
  const key = new Uint8Array(32).fill(7);
  const drawn: Uint8Array[] = [];
  const parts = createActivation({
    endorsementKey: decodeTpm2bPublic(await client.getEndorsementKey()),
    storageRootKey: decodeTpm2bPublic(await client.getStorageRootKey()),
    key,
    random: {
      bytes: (byteLength) => {
        const bytes = systemRandom.bytes(byteLength);
        drawn.push(Uint8Array.from(bytes));
        return bytes;
      },
    },
  });
  await client.activateIdentityKey(joinActivationBlob(parts));
  const signature = await client.signWithIdentity(probe);
  expect(signature).toEqual(hmac(key, probe));
  // The service draws the key of the inner wrapper first.
  const [innerKey = new Uint8Array(0)] = drawn;
  expect(innerKey.byteLength).toBe(16);
  return { innerKey, signature };
}

describe('protected sessions', () => {
  test('neither the key of the inner wrapper nor data and signature cross the bus in clear', async () => {
    await using tpm = await startTpm();
    const { innerKey, signature } = await listenToActivation(tpm, {});
    expect(contains(tpm.interposer.passed, innerKey)).toEqual([]);
    expect(contains(tpm.interposer.passed, signature)).toEqual([]);
    expect(contains(tpm.interposer.passed, probe)).toEqual([]);
  });

  test('without them all of it does: that is what `none` means', async () => {
    await using tpm = await startTpm();
    const { innerKey, signature } = await listenToActivation(tpm, { sessions: 'none' });
    expect(contains(tpm.interposer.passed, innerKey)).toEqual(['ActivateCredential', 'Import']);
    expect(contains(tpm.interposer.passed, signature)).toEqual(['HMAC']);
    expect(contains(tpm.interposer.passed, probe)).toEqual(['HMAC']);
  });

  test('one session serves a whole operation', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const { blob } = await wrapKey(client);
    tpm.interposer.passed.length = 0;
    await client.activateIdentityKey(blob);
    const started = tpm.interposer.passed.filter(({ name }) => name === 'StartAuthSession');
    // Salted to the endorsement key, and the policy session that needs no key.
    expect(started.map(({ command }) => Buffer.from(command).readUInt32BE(10))).toEqual([
      handles.endorsementKey,
      0x4000_0007,
    ]);
  });

  const flip = (frame: Uint8Array, offset: number): Uint8Array => {
    const changed = Uint8Array.from(frame);
    const index = offset < 0 ? changed.length + offset : offset;
    changed[index] = (changed[index] ?? 0) ^ 1;
    return changed;
  };

  // Offset 14 is where the parameters of a response begin; -1 is the end of its last HMAC.
  test.each([
    ['PolicySecret', 14],
    ['ActivateCredential', 20],
    ['Import', 20],
    ['Import', -1],
    ['Load', 20],
    ['Load', -1],
    ['EvictControl', -1],
  ])(
    'a response to %s that was changed at %i is noticed, and nothing of it is used',
    async (target, offset) => {
      await using tpm = await startTpm();
      const client = await tpm.open();
      const before = await activateFresh(client);
      const { blob } = await wrapKey(client);
      let seen = 0;
      tpm.interposer.intercept = (name) => {
        if (name !== target) return undefined;
        seen += 1;
        return seen === 1 ? { changeResponse: (frame) => flip(frame, offset) } : undefined;
      };
      await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({
        code: 'ERR_TPM_RESPONSE_FORGED',
        command: target,
      });
      expect(await readTpmSnapshot(tpm.interposer.current ?? tpm.simulator.address)).toMatchObject({
        transient: [],
        loadedSessions: [],
      });
      tpm.interposer.intercept = undefined;
      expect(await client.signWithIdentity(probe)).toEqual(hmac(before, probe));
    },
  );

  test('a handle that was changed on the way, which no HMAC covers, leaves nothing loaded either', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const before = await activateFresh(client);
    const { blob } = await wrapKey(client);
    tpm.interposer.intercept = (name) =>
      name === 'Load' ? { changeResponse: (frame) => flip(frame, 13) } : undefined;
    await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TPM_/) as string,
      command: 'EvictControl',
    });
    tpm.interposer.intercept = undefined;
    expect(await readTpmSnapshot(tpm.interposer.current ?? tpm.simulator.address)).toMatchObject({
      transient: [],
      loadedSessions: [],
    });
    expect(await client.signWithIdentity(probe)).toEqual(hmac(before, probe));
  });

  test.each(['PolicySecret', 'ActivateCredential', 'Import', 'Load', 'EvictControl'])(
    'a changed %s is refused by the TPM',
    async (target) => {
      await using tpm = await startTpm();
      const client = await tpm.open();
      const before = await activateFresh(client);
      const { blob } = await wrapKey(client);
      tpm.interposer.intercept = (name) =>
        name === target ? { changeCommand: (frame) => flip(frame, -1) } : undefined;
      await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_TPM_/) as string,
        command: target,
      });
      tpm.interposer.intercept = undefined;
      expect(await client.signWithIdentity(probe)).toEqual(hmac(before, probe));
    },
  );

  test('a signature of another key, slipped in on the way, is noticed', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    await activateFresh(client);
    tpm.interposer.intercept = (name) =>
      name === 'HMAC' ? { changeResponse: (frame) => flip(frame, -1) } : undefined;
    await expect(client.signWithIdentity(probe)).rejects.toMatchObject({ code: 'ERR_TPM_RESPONSE_FORGED' });
  });

  test('a salt that somebody replaced with one of his own makes the first command fail', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    await activateFresh(client);
    const endorsementKey = decodeTpm2bPublic(await client.getEndorsementKey());
    const { encryptedSecret } = encapsulateSecret(endorsementKey, 'SECRET', systemRandom);
    // Behind the salt: session type, AES-128-CFB, SHA-256.
    const tailBytes = 1 + 6 + 2;
    tpm.interposer.intercept = (name) => {
      if (name !== 'StartAuthSession') return undefined;
      return {
        changeCommand: (frame) => {
          const changed = Uint8Array.from(frame);
          changed.set(encryptedSecret, changed.length - tailBytes - encryptedSecret.length);
          return changed;
        },
      };
    };
    await expect(client.signWithIdentity(probe)).rejects.toMatchObject({
      code: 'ERR_TPM_BAD_AUTH',
      command: 'HMAC',
    });
  });

  test('a public area that was changed on the way is not the key it claims to be', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    tpm.interposer.intercept = (name) => {
      if (name !== 'ReadPublic') return undefined;
      return {
        changeResponse: (frame) => {
          const changed = Uint8Array.from(frame);
          changed[200] = (changed[200] ?? 0) ^ 1;
          return changed;
        },
      };
    };
    await expect(client.getEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_TPM_NAME_MISMATCH',
      handle: handles.endorsementKey,
    });
  });
});

describe('authorization values of the hierarchies', () => {
  const ownerAuth = Secret.fromText('owner-password');
  const endorsementAuth = Secret.fromText('endorsement-password');

  async function setHierarchyAuth(tpm: TpmFixture): Promise<void> {
    const client = await tpm.open({ createKeys: false });
    for (const [authHandle, secret] of [
      [0x4000_0001, ownerAuth],
      [0x4000_000b, endorsementAuth],
    ] as const) {
      await client.executor.execute(commands.HierarchyChangeAuth, { authHandle, newAuth: secret.reveal() });
    }
    await client.close();
    tpm.interposer.passed.length = 0;
  }

  test.each([
    ['secrets', { ownerAuth, endorsementAuth }],
    ['bytes', { ownerAuth: ownerAuth.reveal(), endorsementAuth: endorsementAuth.reveal() }],
    ['bytes with zeros behind them', { ownerAuth: Buffer.from('owner-password\0\0'), endorsementAuth }],
    ['functions', { ownerAuth: async () => ownerAuth, endorsementAuth: () => endorsementAuth.reveal() }],
  ] as const)('given as %s, they serve a fresh TPM and never cross the bus', async (_, auth) => {
    await using tpm = await startTpm({});
    await setHierarchyAuth(tpm);
    const client = await tpm.open({ ...auth, ekTemplate: 'ecc' });
    const key = await activateFresh(client);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
    await activateFresh(client);
    expect(contains(tpm.interposer.passed, ownerAuth.reveal())).toEqual([]);
    expect(contains(tpm.interposer.passed, endorsementAuth.reveal())).toEqual([]);
    await client.close();
    const { transient, loadedSessions } = await tpm.snapshot();
    expect([transient, loadedSessions]).toEqual([[], []]);
  });

  test('are not asked for while the keys are there and nothing needs them', async () => {
    await using tpm = await startTpm();
    let asked = 0;
    const provider = (): Secret => {
      asked += 1;
      return Secret.fromText('');
    };
    const client = await tpm.open({ ownerAuth: provider, endorsementAuth: provider });
    await client.getStorageRootKey();
    expect(asked).toBe(0);
  });

  test.each([
    ['owner', { endorsementAuth, ownerAuth: Secret.fromText('wrong') }, 'EvictControl'],
    ['endorsement', { ownerAuth, endorsementAuth: Secret.fromText('wrong') }, 'PolicySecret'],
    ['no endorsement', { ownerAuth }, 'PolicySecret'],
  ] as const)(
    'a wrong %s value is ERR_TPM_BAD_AUTH, is not tried again, and leaves nothing',
    async (_, auth, command) => {
      await using tpm = await startTpm();
      await setHierarchyAuth(tpm);
      const client = await tpm.open(auth);
      const { blob } = await wrapKey(client);
      tpm.interposer.passed.length = 0;
      await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({
        code: 'ERR_TPM_BAD_AUTH',
        command,
        retryable: false,
      });
      expect(tpm.interposer.passed.filter(({ name }) => name === command)).toHaveLength(1);
      await client.close();
      const { transient, loadedSessions } = await tpm.snapshot();
      expect([transient, loadedSessions]).toEqual([[], []]);
    },
  );

  test('a wrong endorsement value cannot create the endorsement key', async () => {
    await using tpm = await startTpm({});
    await setHierarchyAuth(tpm);
    const client = await tpm.open({
      ekTemplate: 'ecc',
      ownerAuth,
      endorsementAuth: Secret.fromText('wrong'),
    });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_TPM_BAD_AUTH',
      command: 'CreatePrimary',
    });
  });
});
