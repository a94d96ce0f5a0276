/**
 * The ceremony on swtpm: what it leaves behind when each of its commands is refused, lost, late or aborted.
 * Oracles: the TPM itself, and OpenSSL for every signature.
 */
import { TpmError } from '@endorse/tpm2';
import { joinActivationBlob } from '@endorse/protocol';
import { identityKeyHandles } from '@endorse/security-tpm';
import type { TpmSecurityClientOptions } from '@endorse/security-tpm';
import { readTpmSnapshot } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { activateFresh, hmac, probe, startTpm, wrapKey } from './support/client-fixture.ts';
import type { TpmFixture } from './support/client-fixture.ts';
import type { Interception } from './support/interposer.ts';

const [primary, alternate] = identityKeyHandles;

/** Names of the commands of an activation, in order, when there is an identity key already. */
async function recordActivation(
  tpm: TpmFixture,
  options: Partial<TpmSecurityClientOptions>,
): Promise<string[]> {
  const client = await tpm.open(options);
  await activateFresh(client);
  const { blob } = await wrapKey(client);
  tpm.interposer.passed.length = 0;
  await client.activateIdentityKey(blob);
  await client.close();
  return tpm.interposer.passed.map(({ name }) => name);
}

interface Disturbance {
  readonly title: string;
  readonly options: Partial<TpmSecurityClientOptions>;
  act(abort: () => void): Interception;
  /** What the activation may reject with, beside resolving where that is right. */
  readonly code: RegExp;
}

const reason = Object.assign(new Error('stopped by the test'), { code: 'ERR_TEST_ABORT' });

const disturbances: readonly Disturbance[] = [
  { title: 'refused', options: {}, act: () => ({ refuse: 0x101 }), code: /^ERR_TPM_FAILURE$/ },
  {
    title: 'refused, without sessions',
    options: { sessions: 'none' },
    act: () => ({ refuse: 0x101 }),
    code: /^ERR_TPM_FAILURE$/,
  },
  { title: 'lost before the TPM saw it', options: {}, act: () => ({ lose: 'before' }), code: /^ERR_TPM_IO$/ },
  {
    title: 'lost after the TPM executed it',
    options: {},
    act: () => ({ lose: 'after' }),
    code: /^ERR_TPM_IO$/,
  },
  { title: 'late, not executed', options: {}, act: () => ({ timeout: 'before' }), code: /^ERR_TPM_TIMEOUT$/ },
  { title: 'late, executed', options: {}, act: () => ({ timeout: 'after' }), code: /^ERR_TPM_TIMEOUT$/ },
  {
    title: 'answered with the response to the command before',
    options: {},
    act: () => ({ stale: true }),
    code: /^ERR_TPM_|^ERR_REMOTE_/,
  },
  {
    title: 'aborted while it is under way',
    options: {},
    act: (abort) => ({ meanwhile: abort }),
    code: /^ERR_TEST_ABORT$/,
  },
];

describe.each(disturbances)('an activation of which a command is $title', ({ options, act, code }) => {
  test('leaves nothing loaded, whichever command it is, and the key it says', async () => {
    await using tpm = await startTpm();
    const names = await recordActivation(tpm, options);
    const clean = await tpm.snapshot();
    let rejected = 0;
    for (let disturbed = 0; disturbed < names.length; disturbed += 1) {
      const title = `${disturbed}: ${names[disturbed]}`;
      const client = await tpm.open(options);
      const before = await activateFresh(client);
      const { key: after, blob } = await wrapKey(client);
      const controller = new AbortController();
      tpm.interposer.passed.length = 0;
      tpm.interposer.intercept = (_name, index) =>
        index === disturbed ? act(() => controller.abort(reason)) : undefined;
      const outcome = await client.activateIdentityKey(blob, { signal: controller.signal }).then(
        () => 'activated',
        (error: unknown) => String((error as { readonly code?: unknown }).code),
      );
      tpm.interposer.intercept = undefined;
      const { persistent: _, ...cleanVolatile } = clean;
      if (tpm.interposer.current !== undefined) {
        // At once, before a later command or closing could tidy up.
        expect(await readTpmSnapshot(tpm.interposer.current), title).toMatchObject(cleanVolatile);
      }
      if (outcome !== 'activated') {
        expect(outcome, title).toMatch(code);
        rejected += 1;
      }
      const expected = outcome === 'activated' ? after : before;
      expect(await client.signWithIdentity(probe), title).toEqual(hmac(expected, probe));
      await client.close();
      const { persistent, ...volatile } = await tpm.snapshot();
      expect(volatile, title).toEqual(cleanVolatile);
      // One identity key, or the left-over of a switch that could not be undone.
      expect(persistent.filter((handle) => identityKeyHandles.includes(handle)).length, title).toBe(1);
    }
    // Every command of the ceremony itself must have been able to fail it; only cleaning and re-reading may not.
    expect(rejected).toBeGreaterThanOrEqual(6);
  });
});

test.each([
  ['RETRY', 0x922],
  ['YIELDED', 0x908],
  ['TESTING', 0x90a],
])('an activation goes through %s as the answer to any one of its commands', async (_name, responseCode) => {
  await using tpm = await startTpm();
  const names = await recordActivation(tpm, {});
  for (let disturbed = 0; disturbed < names.length; disturbed += 1) {
    const client = await tpm.open();
    const { key, blob } = await wrapKey(client);
    tpm.interposer.passed.length = 0;
    tpm.interposer.intercept = (_, index) => (index === disturbed ? { refuse: responseCode } : undefined);
    await client.activateIdentityKey(blob);
    tpm.interposer.intercept = undefined;
    expect(await client.signWithIdentity(probe), names[disturbed]).toEqual(hmac(key, probe));
    await client.close();
  }
});

test('an activation that was aborted before it began sends nothing', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const { blob } = await wrapKey(client);
  tpm.interposer.passed.length = 0;
  await expect(client.activateIdentityKey(blob, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(tpm.interposer.passed).toEqual([]);
});

test('a refused activation is a TpmError with its command and the decoded code', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const { parts } = await wrapKey(client);
  const idObject = Uint8Array.from(parts.idObject);
  idObject[idObject.length - 1] = (idObject.at(-1) ?? 0) ^ 1;
  const failure: unknown = await client
    .activateIdentityKey(joinActivationBlob({ ...parts, idObject }))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TpmError);
  expect(failure).toMatchObject({ code: 'ERR_TPM_INTEGRITY', command: 'ActivateCredential', rc: 0x1df });
  expect((failure as TpmError).decoded).toMatchObject({
    name: 'INTEGRITY',
    subject: { kind: 'parameter', number: 1 },
  });
});

describe('a blob with one bit changed', () => {
  // Measured on libtpms: facts of the acceptance matrix; the sixth part is data nobody reads.
  test.each([
    ['idObject', 'ERR_TPM_INTEGRITY', 'ActivateCredential'],
    ['encryptedSecret', 'ERR_TPM_FAILURE', 'ActivateCredential'],
    ['duplicate', 'ERR_TPM_INTEGRITY', 'Import'],
    ['encryptedSeed', 'ERR_TPM_FAILURE', 'Import'],
    ['publicArea', 'ERR_TPM_INTEGRITY', 'Import'],
  ] as const)('in %s is %s, and leaves the TPM as it was', async (part, code, command) => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const before = await activateFresh(client);
    const { parts } = await wrapKey(client);
    const changed = Uint8Array.from(parts[part]);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await client.close();
    const clean = await tpm.snapshot();
    const again = await tpm.open();
    await expect(
      again.activateIdentityKey(joinActivationBlob({ ...parts, [part]: changed })),
    ).rejects.toMatchObject({ code, command });
    expect(await again.signWithIdentity(probe)).toEqual(hmac(before, probe));
    await again.close();
    expect(await tpm.snapshot()).toEqual(clean);
  });

  test('in encryptedUri activates: nobody reads it', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const { key, parts } = await wrapKey(client);
    const encryptedUri = Uint8Array.from(parts.encryptedUri);
    encryptedUri[0] = (encryptedUri[0] ?? 0) ^ 1;
    await client.activateIdentityKey(joinActivationBlob({ ...parts, encryptedUri }));
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
  });
});

describe('a blob that cannot be used is ERR_TPM_BLOB before the TPM is touched', () => {
  test.each([
    ['empty', (blob: Buffer): Buffer => blob.subarray(0, 0)],
    ['truncated by one byte', (blob: Buffer): Buffer => blob.subarray(0, -1)],
    ['cut in the middle', (blob: Buffer): Buffer => blob.subarray(0, 300)],
    ['with a byte behind it', (blob: Buffer): Buffer => Buffer.concat([blob, Buffer.of(0)])],
    ['oversized', (): Buffer => Buffer.alloc(100_000, 1)],
    [
      'with the first size beyond its end',
      (blob: Buffer): Buffer => Buffer.concat([Buffer.of(0xff), blob.subarray(1)]),
    ],
    [
      'reordered: the public area first',
      (blob: Buffer): Buffer =>
        Buffer.concat([blob.subarray(714, 764), blob.subarray(0, 714), blob.subarray(764)]),
    ],
    [
      'reordered: the seed first',
      (blob: Buffer): Buffer =>
        Buffer.concat([blob.subarray(54, 312), blob.subarray(0, 54), blob.subarray(312)]),
    ],
  ])('%s', async (_, spoil) => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const { blob } = await wrapKey(client);
    tpm.interposer.passed.length = 0;
    await expect(client.activateIdentityKey(Uint8Array.from(spoil(Buffer.from(blob))))).rejects.toMatchObject(
      {
        code: 'ERR_TPM_BLOB',
        fault: 'peer',
        retryable: false,
      },
    );
    expect(tpm.interposer.passed).toEqual([]);
  });

  // Offsets inside TPMT_PUBLIC: type 0, nameAlg 2, objectAttributes 4, policy size 8, scheme 10, hash 12, unique size 14.
  test.each([
    ['restricted', 5, 0x01],
    ['decrypt', 5, 0x02],
    ['not for signing', 5, 0x04],
    ['without userWithAuth', 7, 0x40],
    ['fixed to its TPM', 7, 0x02],
    ['with another scheme', 11, 0x0f],
    ['with another hash', 13, 0x07],
  ])('a key that is %s', async (_, offset, mask) => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const { parts } = await wrapKey(client);
    const publicArea = Uint8Array.from(parts.publicArea);
    publicArea[offset] = (publicArea[offset] ?? 0) ^ mask;
    tpm.interposer.passed.length = 0;
    await expect(
      client.activateIdentityKey(joinActivationBlob({ ...parts, publicArea })),
    ).rejects.toMatchObject({
      code: 'ERR_TPM_BLOB',
    });
    expect(tpm.interposer.passed).toEqual([]);
  });
});

test('concurrent activations and signatures are served one after the other', async () => {
  await using tpm = await startTpm();
  const client = await tpm.open();
  const wrapped = [await wrapKey(client), await wrapKey(client), await wrapKey(client)];
  const signatures = await Promise.all(
    wrapped.flatMap(({ blob }) => [client.activateIdentityKey(blob), client.signWithIdentity(probe)]),
  );
  expect(signatures.filter((signature) => signature !== undefined)).toEqual(
    wrapped.map(({ key }) => hmac(key, probe)),
  );
  await client.close();
  const { transient, loadedSessions, persistent } = await tpm.snapshot();
  expect([transient, loadedSessions]).toEqual([[], []]);
  expect(persistent.filter((handle) => [primary, alternate].includes(handle))).toHaveLength(1);
});
