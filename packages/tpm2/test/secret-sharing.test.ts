/**
 * Oracles: published encapsulation vectors of google/go-tpm (vectors/secret-sharing.json), and OpenSSL's OAEP
 * decryption for our own OAEP padding.
 */
import { constants, privateDecrypt } from 'node:crypto';
import type { EccPublic, SecretLabel } from '@endorse/tpm2';
import {
  decapsulateSecret,
  decodePublic,
  decodeSensitive,
  ekTemplateEccP256,
  ekTemplateRsa2048,
  encapsulateSecret,
} from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { flipBit, hex, toHex } from './support/bytes.ts';
import { eccKey, eccPrivateKey, rsaKey } from './support/keys.ts';
import { scriptedRandom, seededRandom } from './support/random.ts';
import vectors from './vectors/secret-sharing.json' with { type: 'json' };

const rsa = rsaKey(ekTemplateRsa2048);
const ecc = eccKey(ekTemplateEccP256);

describe('RSA secrets', () => {
  it.each(vectors.rsa)('are encapsulated as in $name', (vector) => {
    const random = scriptedRandom(hex(vector.seed), hex(vector.oaepSeed));
    const secret = encapsulateSecret(
      decodePublic(hex(vector.publicArea)),
      vector.label as SecretLabel,
      random,
    );
    expect(toHex(secret.encryptedSecret)).toBe(vector.encryptedSecret);
    expect(toHex(secret.seed)).toBe(vector.seed);
    expect(random.left()).toBe(0);
  });

  it('decrypt with OpenSSL, under the label with its NUL', () => {
    for (const label of ['IDENTITY', 'DUPLICATE', 'SECRET'] as const) {
      const { seed, encryptedSecret } = encapsulateSecret(rsa.area, label, seededRandom(label));
      const decrypted = privateDecrypt(
        {
          key: rsa.privateKey,
          padding: constants.RSA_PKCS1_OAEP_PADDING,
          oaepHash: 'sha256',
          oaepLabel: Buffer.from(`${label}\0`),
        },
        encryptedSecret,
      );
      expect(toHex(decrypted)).toBe(toHex(seed));
    }
  });

  it('come back with the private key, and with no other, nor under another label', () => {
    const { seed, encryptedSecret } = encapsulateSecret(rsa.area, 'IDENTITY', seededRandom('a'));
    const options = {
      recipient: rsa.area,
      privateKey: rsa.privateKey,
      label: 'IDENTITY',
      encryptedSecret,
    } as const;
    expect(decapsulateSecret(options)).toEqual(seed);
    const failure = expect.objectContaining({ code: 'ERR_TPM_FAILURE', rc: 0x101 });
    expect(() => decapsulateSecret({ ...options, label: 'DUPLICATE' })).toThrow(failure);
    expect(() => decapsulateSecret({ ...options, encryptedSecret: flipBit(encryptedSecret, 2000) })).toThrow(
      failure,
    );
    const { privateKey } = rsaKey(ekTemplateRsa2048);
    expect(() => decapsulateSecret({ ...options, privateKey })).toThrow(failure);
  });

  it('of another size than the key are refused as a TPM refuses them', () => {
    const { encryptedSecret } = encapsulateSecret(rsa.area, 'IDENTITY', seededRandom('a'));
    expect(() =>
      decapsulateSecret({
        recipient: rsa.area,
        privateKey: rsa.privateKey,
        label: 'IDENTITY',
        encryptedSecret: encryptedSecret.subarray(1),
      }),
    ).toThrow(expect.objectContaining({ code: 'ERR_TPM_SIZE', rc: 0x2d5 }));
  });
});

describe('ECC secrets', () => {
  it.each(vectors.ecc)('are encapsulated and recovered as in $name', (vector) => {
    const recipient = decodePublic(hex(vector.publicArea)) as EccPublic;
    const label = vector.label as SecretLabel;
    const secret = encapsulateSecret(recipient, label, scriptedRandom(hex(vector.ephemeralPrivate)));
    expect(toHex(secret.encryptedSecret)).toBe(vector.encryptedSecret);
    expect(toHex(secret.seed)).toBe(vector.seed);
    const privateKey = eccPrivateKey(recipient, decodeSensitive(hex(vector.privateArea)).sensitive);
    const { encryptedSecret } = secret;
    expect(toHex(decapsulateSecret({ recipient, privateKey, label, encryptedSecret }))).toBe(vector.seed);
  });

  it('draw the ephemeral key again when it is zero or not below the order', () => {
    const order = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    const good = hex('1c85df4fc949f7c1bac63a63a444898c73fbc8d838fd6b26cef60cc9dcc23c9e');
    const random = scriptedRandom(new Uint8Array(32), order, new Uint8Array(32).fill(0xff), good);
    const secret = encapsulateSecret(ecc.area, 'SECRET', random);
    expect(secret).toEqual(encapsulateSecret(ecc.area, 'SECRET', scriptedRandom(good)));
  });

  it('give up on a random source that never gives a usable key', () => {
    const zeros = { bytes: (length: number) => new Uint8Array(length) };
    expect(() => encapsulateSecret(ecc.area, 'SECRET', zeros)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'random' }),
    );
  });

  it('on another curve or off the curve are refused as a TPM refuses them', () => {
    const { encryptedSecret } = encapsulateSecret(ecc.area, 'SECRET', seededRandom('a'));
    const options = { recipient: ecc.area, privateKey: ecc.privateKey, label: 'SECRET' } as const;
    for (const broken of [flipBit(encryptedSecret, 500), encryptedSecret.subarray(1), hex('')]) {
      expect(() => decapsulateSecret({ ...options, encryptedSecret: broken })).toThrow(
        expect.objectContaining({ code: 'ERR_TPM_ECC_POINT', rc: 0x2e7 }),
      );
    }
  });
});

describe('encapsulateSecret', () => {
  it('repeats byte for byte from the same random source', () => {
    for (const area of [rsa.area, ecc.area]) {
      const [first, second] = ['seed', 'seed'].map((seed) =>
        encapsulateSecret(area, 'IDENTITY', seededRandom(seed)),
      );
      expect(first).toEqual(second);
      expect(encapsulateSecret(area, 'IDENTITY', seededRandom('other'))).not.toEqual(first);
    }
  });

  it('refuses recipients that have no public key, templates and points off the curve', () => {
    const { x, y } = ecc.area.unique;
    const unusable = [
      ekTemplateRsa2048,
      { ...rsa.area, unique: rsa.area.unique.subarray(1) },
      { ...rsa.area, nameAlg: null },
      ekTemplateEccP256,
      { ...ecc.area, unique: { x: y, y: x } },
      { ...ecc.area, curveId: 'bnP256' },
      {
        type: 'symcipher',
        nameAlg: 'sha256',
        objectAttributes: 0,
        authPolicy: hex(''),
        symmetric: null,
        unique: hex(''),
      },
    ] as const;
    for (const recipient of unusable) {
      expect(() => encapsulateSecret(recipient, 'IDENTITY', seededRandom('a'))).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
      );
    }
  });

  it('refuses a random source that gives another length', () => {
    const short = { bytes: () => new Uint8Array(5) };
    for (const random of [short, {} as never, undefined as never]) {
      expect(() => encapsulateSecret(rsa.area, 'IDENTITY', random)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'random' }),
      );
    }
  });
});
