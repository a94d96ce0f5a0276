/** Oracles: PKCS#12 files that OpenSSL and Java made, and PEM of OpenSSL (`vectors/openssl.ts`). */
import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { Secret } from '@endorse/interface';
import type { LoadX509SecurityClientOptions } from '@endorse/security-x509';
import { loadX509SecurityClient } from '@endorse/security-x509';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './support/folder.ts';
import { expectTyped, rejected } from './support/outcome.ts';
import {
  ecKeyPem,
  ecPem,
  issuerPem,
  pkcs12Files,
  recordedPassphrase,
  rootPem,
  rsaEncryptedKeyPem,
  rsaPem,
  unicodePassphrase,
} from './vectors/openssl.ts';

const posix = process.platform !== 'win32';
const passphrase = Secret.fromText(recordedPassphrase);
const refusal = (options: LoadX509SecurityClientOptions): Promise<unknown> =>
  rejected(loadX509SecurityClient(options));
const decode = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

async function describeIdentity(options: LoadX509SecurityClientOptions): Promise<string[]> {
  await using client = await loadX509SecurityClient(options);
  const { certificatePem, privateKeyPem } = await client.getCertificate();
  const certificates = (certificatePem.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? []).map(
    (block) => new X509Certificate(block),
  );
  expect(certificates[0]?.checkPrivateKey(createPrivateKey(privateKeyPem.revealText()))).toBe(true);
  expect(certificates[0]?.subject).toBe(`CN=${await client.getRegistrationId()}`);
  return certificates.map(({ subject }) => subject.replace('CN=', ''));
}

describe('PEM files', () => {
  test('make an identity, with or without a chain of their own', async () => {
    using folder = temporaryFolder();
    const certificateFile = folder.write('certificate.pem', ecPem, 0o644);
    const privateKeyFile = folder.write('key.pem', ecKeyPem);
    const chainFile = folder.write('chain.pem', rootPem + issuerPem, 0o644);
    expect(await describeIdentity({ certificateFile, privateKeyFile })).toEqual(['ec-device-1']);
    expect(await describeIdentity({ certificateFile, privateKeyFile, chainFile })).toEqual([
      'ec-device-1',
      'Recorded issuer',
      'Recorded root',
    ]);
    const both = folder.write('both.pem', ecKeyPem + ecPem + issuerPem);
    expect(await describeIdentity({ certificateFile: both, privateKeyFile: both })).toHaveLength(2);
  });

  test('with an unprotected key that others may use are refused, unless that is allowed', async ({
    skip,
  }) => {
    if (!posix) skip('Windows has no permission bits');
    using folder = temporaryFolder();
    const certificateFile = folder.write('certificate.pem', ecPem);
    for (const mode of [0o640, 0o604, 0o620, 0o644]) {
      const privateKeyFile = folder.write('key.pem', ecKeyPem, mode);
      const error = expectTyped(await refusal({ certificateFile, privateKeyFile }), 'ERR_X509_FILE_MODE');
      expect(error.message).toContain(`mode ${mode.toString(8)}`);
      expect(error.remedy).toContain('chmod 600');
      expect(
        await describeIdentity({ certificateFile, privateKeyFile, allowLooseFileMode: true }),
      ).toHaveLength(1);
    }
  });

  test('with an encrypted key may be readable by others', async () => {
    using folder = temporaryFolder();
    const certificateFile = folder.write('certificate.pem', rsaPem);
    const privateKeyFile = folder.write('key.pem', rsaEncryptedKeyPem, 0o644);
    expect(await describeIdentity({ certificateFile, privateKeyFile, passphrase })).toEqual(['rsa-device-1']);
    expectTyped(await refusal({ certificateFile, privateKeyFile }), 'ERR_X509_PASSPHRASE_REQUIRED');
  });

  test('that cannot be read are refused', async ({ skip }) => {
    using folder = temporaryFolder();
    const certificateFile = folder.write('certificate.pem', ecPem);
    const privateKeyFile = folder.write('key.pem', ecKeyPem);
    const absent = join(folder.path, 'absent');
    const large = folder.write('large.pem', 'x'.repeat(1_048_577));
    for (const file of [absent, folder.path, large]) {
      for (const options of [
        { certificateFile: file, privateKeyFile },
        { certificateFile, privateKeyFile: file },
        { certificateFile, privateKeyFile, chainFile: file },
        { pkcs12File: file },
      ]) {
        const error = expectTyped(await refusal(options), 'ERR_X509_FILE_UNREADABLE');
        expect(error.message).toContain(file);
      }
    }
    if (!posix) skip('Windows has no named pipes among its files');
    const pipe = join(folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expectTyped(await refusal({ certificateFile: pipe, privateKeyFile }), 'ERR_X509_FILE_UNREADABLE');
  });

  test('in DER are refused with the way to convert them', async () => {
    using folder = temporaryFolder();
    const certificateFile = folder.write('certificate.der', new X509Certificate(ecPem).raw);
    const privateKeyFile = folder.write('key.pem', ecKeyPem);
    const error = expectTyped(await refusal({ certificateFile, privateKeyFile }), 'ERR_X509_NOT_PEM');
    expect(error.remedy).toContain('-inform DER');
  });

  test('are named in what is wrong with them', async () => {
    using folder = temporaryFolder();
    const certificateFile = folder.write('certificate.pem', ecPem);
    const privateKeyFile = folder.write('key.pem', ecPem);
    const error = expectTyped(await refusal({ certificateFile, privateKeyFile }), 'ERR_X509_NO_PRIVATE_KEY');
    expect(error.message).toContain(privateKeyFile);
  });
});

describe('PKCS#12 files', () => {
  const load = async (
    name: keyof typeof pkcs12Files,
    other: { passphrase?: Secret; allowLooseFileMode?: boolean } = { passphrase },
    mode?: number,
  ): Promise<string[]> => {
    using folder = temporaryFolder();
    return await describeIdentity({
      pkcs12File: folder.write('device.p12', decode(pkcs12Files[name]), mode),
      ...other,
    });
  };

  test.each([
    ['rsa', ['rsa-device-1', 'Recorded issuer', 'Recorded root']],
    ['ec', ['ec-device-1', 'Recorded issuer', 'Recorded root']],
    ['aes', ['ec-device-1']],
    ['plain', ['ec-device-1']],
    ['java', ['java-device-1']],
  ] as const)('of OpenSSL and Java make an identity: %s', async (name, names) => {
    expect(await load(name)).toEqual(names);
  });

  test('with a passphrase beyond ASCII open', async () => {
    expect(await load('unicode', { passphrase: Secret.fromText(unicodePassphrase) })).toEqual([
      'ec-device-1',
    ]);
  });

  test('with an empty passphrase open with none and with an empty one', async () => {
    expect(await load('empty', {})).toEqual(['ec-device-1']);
    expect(await load('empty', { passphrase: Secret.fromText('') })).toEqual(['ec-device-1']);
  });

  test.each(['legacy', 'des'] as const)(
    'with legacy encryption are refused with the way out: %s',
    async (name) => {
      const error = expectTyped(await rejected(load(name)), 'ERR_X509_PKCS12_UNSUPPORTED');
      expect(error.message).toMatch(/legacy (PBE-SHA1-3DES|40-bit RC2)/);
      expect(error.remedy).toMatch(/openssl pkcs12 -export .* without -legacy/);
    },
  );

  test.each([
    ['nomac', 'ERR_X509_PKCS12_UNSUPPORTED'],
    ['nokey', 'ERR_X509_NO_PRIVATE_KEY'],
    ['nocert', 'ERR_X509_NO_CERTIFICATE'],
  ] as const)('that lack something are refused: %s', async (name, code) => {
    expectTyped(await rejected(load(name)), code);
  });

  test('stay closed without the passphrase and with another', async () => {
    expectTyped(await rejected(load('ec', {})), 'ERR_X509_PASSPHRASE_REQUIRED');
    const wrong = { passphrase: Secret.fromText('Recorded') };
    expectTyped(await rejected(load('ec', wrong)), 'ERR_X509_PASSPHRASE_WRONG');
  });

  test('that protect their key may be readable by others, and else not', async ({ skip }) => {
    if (!posix) skip('Windows has no permission bits');
    expect(await load('aes', { passphrase }, 0o644)).toEqual(['ec-device-1']);
    expectTyped(await rejected(load('plain', { passphrase }, 0o644)), 'ERR_X509_FILE_MODE');
    expectTyped(await rejected(load('empty', {}, 0o644)), 'ERR_X509_FILE_MODE');
    expect(await load('empty', { allowLooseFileMode: true }, 0o644)).toEqual(['ec-device-1']);
  });

  test('with any bit changed or any byte cut off end in a typed error', async () => {
    using folder = temporaryFolder();
    const bytes = decode(pkcs12Files.unicode);
    const options = { passphrase: Secret.fromText(unicodePassphrase) };
    const codes = new Set<string>();
    for (let offset = 0; offset < bytes.length; offset += 1) {
      const changed = Uint8Array.from(bytes);
      changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8));
      for (const contents of [changed, bytes.subarray(0, offset)]) {
        const error = await refusal({ pkcs12File: folder.write('device.p12', contents), ...options });
        const code = (error as { code?: string }).code ?? 'none';
        expect(code, `offset ${offset}: ${String(error)}`).toMatch(/^ERR_X509_/);
        codes.add(code);
      }
    }
    expect([...codes].toSorted()).toEqual([
      'ERR_X509_PASSPHRASE_WRONG',
      'ERR_X509_PKCS12_MALFORMED',
      'ERR_X509_PKCS12_UNSUPPORTED',
    ]);
  });

  test.each([
    ['nothing', ''],
    ['PEM', ecPem],
    ['a certificate in DER', new X509Certificate(ecPem).raw],
    ['an indefinite length', Uint8Array.of(0x30, 0x80, 0, 0)],
    ['a length beyond all memory', Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff)],
    ['a length of lengths', Uint8Array.of(0x30, 0xff)],
  ])('that are none are refused: %s', async (_title, contents) => {
    using folder = temporaryFolder();
    const error = await refusal({ pkcs12File: folder.write('device.p12', contents), passphrase });
    expect((error as { code?: string }).code).toMatch(/^ERR_X509_PKCS12_(MALFORMED|UNSUPPORTED)$/);
  });

  test('that want too many iterations are refused before they are counted', async () => {
    using folder = temporaryFolder();
    const bytes = Buffer.from(decode(pkcs12Files.ec));
    // The iterations of the MAC are the last thing in the file: INTEGER, two bytes, 2048.
    expect(bytes.subarray(-4).toString('hex')).toBe('02020800');
    // Two bytes more for the number, and for each of the three structures around it.
    const wanted = Buffer.concat([bytes.subarray(0, -4), Buffer.from('02047fffffff', 'hex')]);
    wanted.writeUInt16BE(wanted.readUInt16BE(2) + 2, 2);
    const macData = wanted.lastIndexOf(Buffer.from('3041', 'hex'));
    wanted[macData + 1] = 0x43;
    const error = expectTyped(
      await refusal({ pkcs12File: folder.write('device.p12', wanted), passphrase }),
      'ERR_X509_PKCS12_UNSUPPORTED',
    );
    expect(error.message).toContain('2147483647 iterations');
  });
});

describe('loading', () => {
  test('that is aborted rejects with the reason', async () => {
    using folder = temporaryFolder();
    const pkcs12File = folder.write('device.p12', decode(pkcs12Files.ec));
    const reason = new Error('enough');
    expect(await refusal({ pkcs12File, passphrase, signal: AbortSignal.abort(reason) })).toBe(reason);
    for (let turns = 0; turns < 6; turns += 1) {
      const controller = new AbortController();
      const loading = Promise.allSettled([
        loadX509SecurityClient({ pkcs12File, passphrase, signal: controller.signal }),
      ]);
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(reason);
      const [outcome] = await loading;
      if (outcome.status === 'rejected') expect(outcome.reason).toBe(reason);
      if (turns === 0) expect(outcome.status).toBe('rejected');
    }
  });

  test.each<readonly [string, unknown, string]>([
    ['no options', undefined, 'options'],
    ['no file', {}, 'options.certificateFile'],
    ['no key', { certificateFile: 'a' }, 'options.privateKeyFile'],
    ['an empty path', { pkcs12File: '' }, 'options.pkcs12File'],
    ['a path with a zero', { certificateFile: 'a\0', privateKeyFile: 'b' }, 'options.certificateFile'],
    [
      'a chain that is no path',
      { certificateFile: 'a', privateKeyFile: 'b', chainFile: 7 },
      'options.chainFile',
    ],
    ['both forms', { pkcs12File: 'a', certificateFile: 'b' }, 'options'],
    ['a passphrase as text', { pkcs12File: 'a', passphrase: 'x' }, 'options.passphrase'],
    ['a bad id', { pkcs12File: 'a', registrationId: '' }, 'options.registrationId'],
    ['a clock that is none', { pkcs12File: 'a', clock: {} }, 'options.clock'],
  ])('with %s is refused before a file is touched', async (_title, options, argument) => {
    expect(await refusal(options as never)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', argument });
  });
});
