/** What a user of the client meets: lengths, keys without noDA, restarts, other simulators, options. */
import { createHubTokenProvider, createTpmExecutor, createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSecurityClientHandle, TpmSecurityClientOptions, TpmTrace } from '@endorse/security-tpm';
import { systemRandom } from '@endorse/interface/node';
import { startMssimBridge, startTpmSimulator } from '@endorse/tpm-simulator';
import {
  commands,
  computeName,
  createActivation,
  decodeTpm2bPublic,
  duplicateHmacKey,
  makeCredential,
  objectAttributes,
  rh,
  srkTemplateRsa2048,
} from '@endorse/tpm2';
import { joinActivationBlob, parseSasToken, verifySasSignature } from '@endorse/protocol';
import { describe, expect, test } from 'vitest';
import { activateFresh, hmac, probe, startTpm, wrapKey } from './support/client-fixture.ts';
import { responseOf } from './support/frames.ts';
import { startScriptedPeer } from './support/scripted-peer.ts';

describe('signing', () => {
  test.each(['protected', 'none'] as const)('any length, with sessions: %s', async (sessions) => {
    await using tpm = await startTpm();
    const client = await tpm.open({ sessions });
    const key = await activateFresh(client);
    for (const length of [0, 1, 1023, 1024, 1025, 2048, 2049, 3000, 10_240]) {
      const data = systemRandom.bytes(length);
      expect(await client.signWithIdentity(data), `${length} bytes`).toEqual(hmac(key, data));
    }
    tpm.interposer.passed.length = 0;
    await client.signWithIdentity(new Uint8Array(1024));
    expect(tpm.interposer.passed.map(({ name }) => name)).toContain('HMAC');
    tpm.interposer.passed.length = 0;
    await client.signWithIdentity(new Uint8Array(2049));
    expect(tpm.interposer.passed.map(({ name }) => name).filter((name) => /^(HMAC|Seq)/.test(name))).toEqual([
      'HMAC_Start',
      'SequenceUpdate',
      'SequenceUpdate',
      'SequenceComplete',
    ]);
    await client.close();
    const { transient, loadedSessions } = await tpm.snapshot();
    expect([transient, loadedSessions]).toEqual([[], []]);
  });

  test('a sequence that fails half-way leaves nothing behind', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    await activateFresh(client);
    tpm.interposer.intercept = (name) => (name === 'SequenceUpdate' ? { refuse: 0x101 } : undefined);
    await expect(client.signWithIdentity(new Uint8Array(3000))).rejects.toMatchObject({
      code: 'ERR_TPM_FAILURE',
      command: 'SequenceUpdate',
    });
    tpm.interposer.intercept = undefined;
    await client.close();
    const { transient, loadedSessions } = await tpm.snapshot();
    expect([transient, loadedSessions]).toEqual([[], []]);
  });

  test('the first use of a key with dictionary-attack protection answers RETRY, which nobody notices', async () => {
    await using tpm = await startTpm();
    const traces: TpmTrace[] = [];
    const first = await tpm.open();
    const { key, blob } = await wrapKeyWithoutNoDa(first);
    await first.activateIdentityKey(blob);
    await first.close();
    await tpm.simulator.restart();
    const client = await tpm.open({ onTrace: (trace) => traces.push(trace) });
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
    // libtpms 0.9 answers 0x922 once to the first such key after start-up; the same bytes then succeed.
    expect(
      traces
        .filter(({ command }) => command === 'HMAC')
        .map(({ responseCode, attempt }) => [responseCode, attempt]),
    ).toEqual([
      [0x922, 1],
      [0, 2],
    ]);
  });

  test('without a key it is ERR_TPM_NO_IDENTITY_KEY', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    await expect(client.signWithIdentity(probe)).rejects.toMatchObject({
      code: 'ERR_TPM_NO_IDENTITY_KEY',
      retryable: false,
    });
  });
});

test('a hub token is signed in the TPM and verifies against the key', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const key = await activateFresh(client);
  const provider = createHubTokenProvider({
    securityClient: client,
    hubHost: 'hub.example.test',
    deviceId: 'device-1',
  });
  const { sasToken } = await provider.getToken();
  expect(verifySasSignature(parseSasToken(sasToken.revealText()), key)).toBe(true);
});

describe('a simulator that goes away', () => {
  test('and comes back is used again, without a new client', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const key = await activateFresh(client);
    await tpm.simulator.restart();
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
    const next = await activateFresh(client);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(next, probe));
  });

  test('and stays away is ERR_TPM_UNREACHABLE or ERR_TPM_IO in bounded time', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    await activateFresh(client);
    await tpm.simulator.kill();
    await expect(client.signWithIdentity(probe)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TPM_(UNREACHABLE|IO)$/) as string,
      retryable: true,
    });
  });

  test('while it is not started up, it is started, once', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await using bridge = await startMssimBridge({ target: simulator.address });
    await using client = await createTpmSecurityClient({ tpm: bridge.address });
    const key = await activateFresh(client);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
  });
});

describe('a command that takes longer than we wait', () => {
  const rsaPrimary = { primaryHandle: rh.null, inPublic: srkTemplateRsa2048 } as const;

  test('is given up, and what it makes after all is flushed', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const running = client.executor.execute(commands.CreatePrimary, rsaPrimary, { timeoutMs: 1 });
    await expect(running).rejects.toMatchObject({ code: 'ERR_TPM_TIMEOUT', commandSent: true });
    await client.close();
    const { transient, loadedSessions } = await tpm.snapshot();
    expect([transient, loadedSessions]).toEqual([[], []]);
  });

  test('and was aborted rejects at once; the key it makes after all is flushed', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const controller = new AbortController();
    const reason = new Error('enough');
    tpm.interposer.intercept = (name) =>
      name === 'CreatePrimary' ? { meanwhile: () => controller.abort(reason) } : undefined;
    const running = client.executor.execute(commands.CreatePrimary, rsaPrimary, {
      signal: controller.signal,
    });
    await expect(running).rejects.toBe(reason);
    // Still under way; the next command waits for it, and for its flush.
    await client.getEndorsementKey();
    expect(tpm.interposer.passed.map(({ name }) => name).slice(-3)).toEqual([
      'CreatePrimary',
      'FlushContext',
      'ReadPublic',
    ]);
    await client.close();
    expect((await tpm.snapshot()).transient).toEqual([]);
  });

  test('for ever, from a TPM that has died, ends in bounded time, and so does closing', async () => {
    let answers = 1;
    await using peer = await startScriptedPeer((_, socket) => {
      if (answers-- > 0) socket.write(responseOf(0));
    });
    const client = await createTpmSecurityClient({
      tpm: `swtpm://127.0.0.1:${peer.port}`,
      timeoutFactor: 0.01,
      device: { connectTimeoutMs: 50 },
    });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({ code: 'ERR_TPM_TIMEOUT' });
    await expect(client.getEndorsementKey()).rejects.toMatchObject({ code: 'ERR_TPM_BUSY' });
    await client.close();
  });
});

test('two clients of one swtpm: the second is told that it is busy, in time', async () => {
  await using tpm = await startTpm();
  const first = await tpm.open();
  await first.getEndorsementKey();
  await expect(
    createTpmSecurityClient({ tpm: tpm.simulator.address, device: { connectTimeoutMs: 100 } }),
  ).rejects.toMatchObject({ code: 'ERR_TPM_BUSY' });
});

test('two clients may share an executor, and the one that closes leaves it to the other', async () => {
  await using simulator = await startTpmSimulator({ provisioned: true });
  await using executor = await createTpmExecutor(simulator.address);
  const first = await createTpmSecurityClient({ tpm: executor });
  const second = await createTpmSecurityClient({ tpm: executor, registrationId: 'other' });
  await activateFresh(first);
  await first.close();
  await expect(first.getRegistrationId()).rejects.toMatchObject({ code: 'ERR_TPM_CLOSED' });
  expect(await second.getRegistrationId()).toBe('other');
  expect((await second.signWithIdentity(probe)).byteLength).toBe(32);
});

test('traces name every command and hold no secret', async () => {
  await using tpm = await startTpm();
  const traces: TpmTrace[] = [];
  const client = await tpm.open({ onTrace: (trace) => traces.push(trace) });
  const key = await activateFresh(client);
  const signature = await client.signWithIdentity(probe);
  expect(new Set(traces.map(({ command }) => command))).toContain('ActivateCredential');
  expect(traces.every(({ durationMs }) => durationMs >= 0)).toBe(true);
  const text = JSON.stringify(traces);
  for (const secret of [key, signature]) {
    expect(text).not.toContain(Buffer.from(secret).toString('hex'));
    expect(text).not.toContain(Buffer.from(secret).toString('base64'));
  }
});

describe('options nobody can follow are refused before any IO', () => {
  test.each<[Partial<TpmSecurityClientOptions>, string]>([
    [{ tpm: 'nowhere:' }, 'ERR_INVALID_ARGUMENT'],
    [{ tpm: 7 as never }, 'ERR_INVALID_ARGUMENT'],
    [{ tpm: null as never }, 'ERR_INVALID_ARGUMENT'],
    [{ registrationId: 'not valid!' }, 'ERR_INVALID_ARGUMENT'],
    [{ ownerAuth: 'password' as never }, 'ERR_INVALID_ARGUMENT'],
    [{ ekTemplate: 'rsa' as never }, 'ERR_INVALID_ARGUMENT'],
    [{ srkTemplate: 'toString' as never }, 'ERR_INVALID_ARGUMENT'],
    [{ identityKeyHandles: 'both' as never }, 'ERR_INVALID_ARGUMENT'],
    [{ sessions: 'off' as never }, 'ERR_INVALID_ARGUMENT'],
    [{ pinnedEkName: new Uint8Array(1) }, 'ERR_INVALID_ARGUMENT'],
    [{ endorsementKeyHandle: 0x0100_0000 }, 'ERR_OUT_OF_RANGE'],
    [{ storageRootKeyHandle: 0x8180_0000 }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutFactor: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ device: { connectTimeoutMs: 0 } }, 'ERR_OUT_OF_RANGE'],
  ])('%j', async (options, code) => {
    await expect(createTpmSecurityClient({ tpm: 'swtpm+unix:///nowhere', ...options })).rejects.toMatchObject(
      { code },
    );
  });

  test('an authorization value that is too long, or none at all, from a function', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open({ ownerAuth: () => new Uint8Array(65).fill(1) });
    const { blob } = await wrapKey(client);
    await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    const other = await createTpmSecurityClient({ tpm: client.executor, ownerAuth: () => 'text' as never });
    await expect(other.activateIdentityKey(blob)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  });
});

test('sessions other programs left behind are reported, not touched', async () => {
  await using simulator = await startTpmSimulator({ provisioned: true });
  const crashed = await createTpmExecutor(simulator.address);
  const { sessionHandle } = await crashed.execute(commands.StartAuthSession, {
    nonceCaller: new Uint8Array(16),
    sessionType: 'hmac',
    authHash: 'sha256',
  });
  await crashed.close();
  const events: unknown[] = [];
  await using client = await createTpmSecurityClient({
    tpm: simulator.address,
    logger: { log: (level, event, fields) => events.push([level, event, fields]) },
  });
  await activateFresh(client);
  expect(events).toContainEqual(['warn', 'tpm-foreign-handles', { count: 1 }]);
  await client.executor.execute(commands.FlushContext, { flushHandle: sessionHandle });
});

test('the key of the inner wrapper may have 256 bits', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const key = systemRandom.bytes(64);
  const parts = createActivation({
    endorsementKey: decodeTpm2bPublic(await client.getEndorsementKey()),
    storageRootKey: decodeTpm2bPublic(await client.getStorageRootKey()),
    key,
    innerKeyBits: 256,
    random: systemRandom,
  });
  await client.activateIdentityKey(joinActivationBlob(parts));
  expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
});

test('a credential that is no AES key is ERR_TPM_BLOB', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const { parts } = await wrapKey(client);
  const { idObject, encryptedSecret } = makeCredential({
    endorsementKey: decodeTpm2bPublic(await client.getEndorsementKey()),
    objectName: computeName(decodeTpm2bPublic(await client.getStorageRootKey())),
    credential: systemRandom.bytes(20),
    random: systemRandom,
  });
  const blob = joinActivationBlob({ ...parts, idObject, encryptedSecret });
  await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({ code: 'ERR_TPM_BLOB' });
  await client.close();
  const { transient, loadedSessions } = await tpm.snapshot();
  expect([transient, loadedSessions]).toEqual([[], []]);
});

/** A key whose use counts as an attack when the authorization value is wrong: unlike those of the service. */
async function wrapKeyWithoutNoDa(
  client: TpmSecurityClientHandle,
): Promise<{ readonly key: Uint8Array; readonly blob: Uint8Array }> {
  const storageRootKey = decodeTpm2bPublic(await client.getStorageRootKey());
  const key = systemRandom.bytes(32);
  const innerKey = systemRandom.bytes(16);
  const credential = makeCredential({
    endorsementKey: decodeTpm2bPublic(await client.getEndorsementKey()),
    objectName: computeName(storageRootKey),
    credential: innerKey,
    random: systemRandom,
  });
  const { duplicate, encryptedSeed, publicBytes } = duplicateHmacKey({
    parent: storageRootKey,
    key,
    innerKey,
    objectAttributes: objectAttributes.sign | objectAttributes.userWithAuth,
    random: systemRandom,
  });
  const { idObject, encryptedSecret } = credential;
  const encryptedUri = new Uint8Array(0);
  return {
    key,
    blob: joinActivationBlob({
      idObject,
      encryptedSecret,
      duplicate,
      encryptedSeed,
      publicArea: publicBytes,
      encryptedUri,
    }),
  };
}
