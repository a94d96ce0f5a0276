/**
 * Oracles: keys, points and moduli as OpenSSL prints them (vectors/endorsement-certificates.json), an endorsement key
 * of a real TPM (keylime's test), and the file of an old tpm2-tools quoted in Azure/azure-iot-sdk-c issue 1502.
 */
import { generateKeyPairSync } from 'node:crypto';
import {
  decodeTpm2bPublic,
  ekTemplateEccP256,
  ekTemplateRsa2048,
  encodePublic,
  encodeTpm2bPublic,
  publicAreaFromSpki,
  publicKeyFromArea,
  recognizeEndorsementKey,
} from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from './support/arbitraries.ts';
import { hex, toHex } from './support/bytes.ts';
import certificates from './vectors/endorsement-certificates.json' with { type: 'json' };
import keylime from './vectors/keylime-credential.json' with { type: 'json' };

const real = hex(keylime.endorsementKey);
const base64 = Buffer.from(real).toString('base64');
const der = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
const malformed = (text: string): unknown =>
  expect.objectContaining({ code: 'ERR_TPM_MALFORMED', message: expect.stringContaining(text) });

describe('public areas are recognised', () => {
  it.each([
    ['tpm2b', real],
    ['tpmt', real.subarray(2)],
    ['base64-tpm2b', base64],
    ['base64-tpm2b', Buffer.from(`${base64}\n`)],
    ['base64-tpm2b', ` ${base64.replace(/(.{64})/g, '$1\r\n')} `],
    ['base64-tpm2b', base64.replace(/=+$/, '')],
    ['base64-tpmt', Buffer.from(real.subarray(2)).toString('base64')],
  ] as const)('as %s', (form, input) => {
    const recognized = recognizeEndorsementKey(input);
    expect(recognized).toMatchObject({ form, templateAssumed: false });
    expect(toHex(recognized.tpm2bPublic)).toBe(keylime.endorsementKey);
    expect(recognized.area).toEqual(decodeTpm2bPublic(real));
  });

  it('of P-256 keys', () => {
    const area = { ...ekTemplateEccP256, unique: { x: new Uint8Array(32).fill(1), y: new Uint8Array(32) } };
    expect(recognizeEndorsementKey(encodeTpm2bPublic(area))).toMatchObject({ area, form: 'tpm2b' });
    expect(recognizeEndorsementKey(encodePublic(area))).toMatchObject({ area, form: 'tpmt' });
  });

  it('in the C structure that tpm2-tools wrote before version 4', () => {
    const head = [
      '3a01000001000b00b20003002000',
      '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa',
      '00'.repeat(32 + 2),
      '06008000430010000000000000080000000000000001',
    ].join('');
    for (const room of [256, 512]) {
      const file = hex(`${head}${toHex(real.subarray(-256))}${'00'.repeat(room - 256 + 2)}`);
      const recognized = recognizeEndorsementKey(file);
      expect(recognized.form).toBe('tpm2-tools-struct');
      expect(toHex(recognized.tpm2bPublic)).toBe(keylime.endorsementKey);
      expect(recognizeEndorsementKey(Buffer.from(file).toString('base64')).form).toBe(
        'base64-tpm2-tools-struct',
      );
    }
  });
});

describe('public keys and certificates are put into the TCG template', () => {
  const { rsa, ec } = certificates;

  it.each([
    ['spki-pem', rsa.spkiPem],
    ['spki-pem', Buffer.from(rsa.spkiPem)],
    ['spki-der', der(rsa.spkiPem)],
    ['base64-spki-der', der(rsa.spkiPem).toString('base64')],
    ['x509-pem', rsa.certificatePem],
    ['x509-pem', `${rsa.certificatePem}${ec.certificatePem}`],
    ['x509-der', der(rsa.certificatePem)],
    ['x509-der', Buffer.concat([der(rsa.certificatePem), Buffer.alloc(40, 0xff)])],
    ['base64-x509-der', der(rsa.certificatePem).toString('base64')],
  ] as const)('RSA as %s', (form, input) => {
    const recognized = recognizeEndorsementKey(input);
    expect(recognized).toMatchObject({ form, templateAssumed: true });
    expect(recognized.area).toEqual({ ...ekTemplateRsa2048, unique: hex(rsa.modulus) });
    expect(recognized.tpm2bPublic).toHaveLength(316);
  });

  it.each([
    ['spki-pem', ec.spkiPem],
    ['spki-der', der(ec.spkiPem)],
    ['x509-pem', ec.certificatePem],
  ] as const)('P-256 as %s', (form, input) => {
    const recognized = recognizeEndorsementKey(input);
    expect(recognized).toMatchObject({ form, templateAssumed: true });
    const point = hex(ec.point);
    const unique = { x: point.slice(1, 33), y: point.slice(33) };
    expect(recognized.area).toEqual({ ...ekTemplateEccP256, unique });
    expect(recognized.tpm2bPublic).toHaveLength(124);
  });

  it('PKCS #1 keys', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const expected = toHex(publicAreaBytes(publicKey.export({ type: 'spki', format: 'der' })));
    const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'der' });
    const forms = [pkcs1, publicKey.export({ type: 'pkcs1', format: 'pem' }), pkcs1.toString('base64')];
    expect(forms.map((input) => recognizeEndorsementKey(input).form)).toEqual([
      'pkcs1-der',
      'pkcs1-pem',
      'base64-pkcs1-der',
    ]);
    for (const input of forms) expect(toHex(recognizeEndorsementKey(input).tpm2bPublic)).toBe(expected);
  });

  it('RSAES-OAEP identifiers, which OpenSSL refuses in a certificate', () => {
    const oaep = (input: Buffer): Buffer =>
      Buffer.from(
        input.toString('hex').replaceAll('06092a864886f70d0101010500', '06092a864886f70d0101070500'),
        'hex',
      );
    const certificate = oaep(der(rsa.certificatePem));
    expect(certificate).not.toEqual(der(rsa.certificatePem));
    for (const input of [certificate, oaep(der(rsa.spkiPem))]) {
      const { area } = recognizeEndorsementKey(input);
      expect(area).toEqual({ ...ekTemplateRsa2048, unique: hex(rsa.modulus) });
    }
  });

  it('certificates of version 1, which have no version field', () => {
    const certificate = der(rsa.certificatePem);
    // Without [0] { INTEGER 2 }, and with both enclosing lengths 5 less.
    const version1 = Buffer.concat([certificate.subarray(0, 8), certificate.subarray(13)]);
    expect(certificate.subarray(8, 13).toString('hex')).toBe('a003020102');
    for (const lengthAt of [2, 6]) version1.writeUInt16BE(version1.readUInt16BE(lengthAt) - 5, lengthAt);
    const recognized = recognizeEndorsementKey(version1);
    expect(recognized).toMatchObject({ form: 'x509-der', area: { unique: hex(rsa.modulus) } });
  });

  it('other exponents than 65537 are kept', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 0x10003 });
    const area = publicAreaFromSpki(publicKey.export({ type: 'spki', format: 'der' }));
    expect(area).toMatchObject({ exponent: 0x10003 });
    expect(publicKeyFromArea(area).equals(publicKey)).toBe(true);
  });

  it('compressed points are decompressed', () => {
    const point = hex(ec.point);
    const sign = (point[64] ?? 0) & 1;
    const compressed = hex(
      `3039301306072a8648ce3d020106082a8648ce3d030107032200${sign === 1 ? '03' : '02'}${ec.point.slice(2, 66)}`,
    );
    expect(publicAreaFromSpki(compressed)).toEqual(recognizeEndorsementKey(ec.spkiPem).area);
  });
});

function publicAreaBytes(spki: Buffer): Uint8Array {
  return encodeTpm2bPublic(publicAreaFromSpki(spki));
}

describe('everything else is refused', () => {
  const spki = (type: 'rsa' | 'ec' | 'ed25519', options: object): string =>
    generateKeyPairSync(type as 'rsa', options as { modulusLength: number })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString();

  it('keys for which there is no template, and says so', () => {
    expect(() => recognizeEndorsementKey(spki('rsa', { modulusLength: 3072 }))).toThrow(
      malformed('RSA-3072'),
    );
    expect(() => recognizeEndorsementKey(spki('ec', { namedCurve: 'P-384' }))).toThrow(malformed('nistP384'));
    expect(() => recognizeEndorsementKey(spki('ec', { namedCurve: 'secp256k1' }))).toThrow(
      malformed('another curve'),
    );
    expect(() => recognizeEndorsementKey(spki('ed25519', {}))).toThrow(malformed('neither RSA nor'));
  });

  it('objects that are no keys', () => {
    const sealed = hex('0008000b0004044000000005000b0020'.padEnd(96, '1'));
    const tpm2b = Buffer.concat([hex('0030'), sealed]);
    expect(() => recognizeEndorsementKey(tpm2b)).toThrow(malformed('keyedHash'));
  });

  it('text that is neither PEM nor base64, and PEM of something else', () => {
    expect(() => recognizeEndorsementKey('hello, world')).toThrow(malformed('neither PEM nor base64'));
    expect(() => recognizeEndorsementKey('')).toThrow(malformed('neither PEM nor base64'));
    expect(() => recognizeEndorsementKey('-----BEGIN PUBLIC KEY-----\nAA')).toThrow(
      malformed('without an end'),
    );
    const request = certificates.rsa.certificatePem.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST');
    expect(() => recognizeEndorsementKey(request)).toThrow(malformed('CERTIFICATE REQUEST'));
  });

  it('over-long input and what is neither text nor bytes', () => {
    expect(() => recognizeEndorsementKey('A'.repeat(65_537))).toThrow(malformed('more than'));
    expect(() => recognizeEndorsementKey(7 as unknown as string)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
    );
  });

  it('BER that is not DER, and lengths beyond the input', () => {
    // Inside PEM nothing else is tried, so that the message is that of the structure.
    const pem = (content: string): string =>
      `-----BEGIN PUBLIC KEY-----\n${Buffer.from(content, 'hex').toString('base64')}\n-----END PUBLIC KEY-----`;
    expect(() => recognizeEndorsementKey(pem('30800201010201010000'))).toThrow(malformed('not DER'));
    expect(() => recognizeEndorsementKey(pem('3085000000000102'))).toThrow(malformed('not DER'));
    expect(() => recognizeEndorsementKey(pem('300a020101'))).toThrow(malformed('truncated'));
    expect(() => recognizeEndorsementKey(pem('30'))).toThrow(malformed('truncated'));
    expect(() => recognizeEndorsementKey(pem('3000'))).toThrow(malformed('fewer than 2 elements'));
    expect(() => recognizeEndorsementKey(pem(`308200c8${'0500'.repeat(100)}`))).toThrow(
      malformed('more than 64'),
    );
  });

  it('points that are not on their curve', () => {
    const broken = Buffer.from(der(certificates.ec.spkiPem));
    broken[60] = (broken[60] ?? 0) ^ 1;
    expect(() => recognizeEndorsementKey(broken)).toThrow(malformed('no point of its curve'));
  });

  it('any bytes, any truncation and any altered byte: a key or ERR_TPM_MALFORMED, nothing else', () => {
    const total = (input: Uint8Array | string): void => {
      try {
        const { tpm2bPublic, area } = recognizeEndorsementKey(input);
        expect(decodeTpm2bPublic(tpm2bPublic)).toEqual(area);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_TPM_MALFORMED' });
      }
    };
    const seeds = [
      real,
      der(certificates.rsa.certificatePem),
      der(certificates.ec.spkiPem),
      Buffer.from(base64),
    ];
    const altered = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat())
      .map(([seed, at, value, end]) => {
        const copy = Uint8Array.from(seed);
        copy[at % copy.byteLength] = value;
        return copy.subarray(0, end % 3 === 0 ? end % copy.byteLength : copy.byteLength);
      });
    fc.assert(fc.property(fc.oneof(bytes(0, 400), altered), total), { numRuns: 1500 });
    fc.assert(fc.property(fc.string(), total), { numRuns: 300 });
  });
});
