/** Oracle: OpenSSL's own export of the keys. */
import { generateKeyPairSync } from 'node:crypto';
import { ekTemplateEccP256, ekTemplateRsa2048, publicAreaFromSpki, publicKeyFromArea } from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { eccKey, rsaKey } from './support/keys.ts';

describe('publicKeyFromArea', () => {
  it('gives the key that OpenSSL has', () => {
    for (const { publicKey } of [
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ]) {
      const area = publicAreaFromSpki(publicKey.export({ type: 'spki', format: 'der' }));
      expect(publicKeyFromArea(area).equals(publicKey)).toBe(true);
    }
  });

  it('of P-384 and P-521 keys, too', () => {
    for (const curveId of ['nistP384', 'nistP521'] as const) {
      const { area, privateKey } = eccKey({ ...ekTemplateEccP256, curveId });
      const jwk = publicKeyFromArea(area).export({ format: 'jwk' });
      const { x, y } = privateKey.export({ format: 'jwk' });
      expect(jwk).toMatchObject({ x, y });
    }
  });

  it('pads coordinates whose leading zero byte a TPM dropped', () => {
    // One key in 128 has such a coordinate; the search ends long before 10,000.
    for (let attempt = 0; attempt < 10_000; attempt += 1) {
      const { area } = eccKey(ekTemplateEccP256);
      if (area.unique.x[0] !== 0) continue;
      const short = { ...area, unique: { x: area.unique.x.subarray(1), y: area.unique.y } };
      expect(publicKeyFromArea(short).equals(publicKeyFromArea(area))).toBe(true);
      return;
    }
    expect.unreachable('no key had a leading zero');
  });

  it('gives the same object again for the same key, and forgets the oldest of many', () => {
    const { area } = rsaKey(ekTemplateRsa2048);
    const key = publicKeyFromArea(area);
    expect(publicKeyFromArea({ ...area, objectAttributes: 0 })).toBe(key);
    for (let other = 0; other < 256; other += 1) publicKeyFromArea(eccKey(ekTemplateEccP256).area);
    expect(publicKeyFromArea(area)).not.toBe(key);
    expect(publicKeyFromArea(area).equals(key)).toBe(true);
  });

  it('refuses areas without a usable key', () => {
    const { area } = rsaKey(ekTemplateRsa2048);
    const even = area.unique.slice();
    even[255] = 0;
    const symcipher = { ...area, type: 'symcipher' } as const;
    const unusable = [
      ekTemplateRsa2048,
      { ...area, keyBits: 3072 },
      { ...area, unique: even },
      symcipher,
      { ...ekTemplateEccP256, unique: { x: new Uint8Array(33), y: new Uint8Array(32) } },
      { ...ekTemplateEccP256, curveId: 'sm2P256' } as const,
    ];
    for (const candidate of unusable) {
      expect(() => publicKeyFromArea(candidate)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^ERR_(INVALID_ARGUMENT|OUT_OF_RANGE)$/) }),
      );
    }
  });
});
