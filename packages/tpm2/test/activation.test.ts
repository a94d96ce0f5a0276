/**
 * Oracles: three independently computed vectors, two of them accepted by a TPM (vectors/*.json).
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Sensitive } from '@endorse/tpm2';
import {
  activateCredentialSoftware,
  computeName,
  createActivation,
  decodePublic,
  decodeTpm2bPublic,
  duplicateHmacKey,
  duplicateObject,
  ekTemplateRsa2048,
  importDuplicateSoftware,
  kdfa,
  srkTemplateRsa2048,
} from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { flipBit, hex, toHex } from './support/bytes.ts';
import type { SoftwareKeys } from './support/keys.ts';
import { eccKeys, rsaKey, rsaKeys } from './support/keys.ts';
import { scriptedRandom, seededRandom } from './support/random.ts';
import blob from './vectors/activation-blob.json' with { type: 'json' };
import recipe from './vectors/emulator-recipe.json' with { type: 'json' };
import loaded from './vectors/loaded-key.json' with { type: 'json' };

const rsa = rsaKeys();
const ecc = eccKeys();
const oaepSeed = new Uint8Array(32).fill(0x77);
const none = hex('');

describe('duplicateHmacKey', () => {
  it('wraps the key of the activation blob vector', () => {
    const { key, obfuscation, innerKey, outerSeed } = blob.inputs;
    const wrapped = duplicateHmacKey({
      parent: rsa.storageRootKey.area,
      key: hex(key),
      innerKey: hex(innerKey),
      random: scriptedRandom(hex(obfuscation), hex(outerSeed), oaepSeed),
    });
    expect(toHex(wrapped.publicBytes)).toBe(blob.publicArea);
    expect(toHex(wrapped.name)).toBe(blob.name);
    expect(toHex(wrapped.duplicate)).toBe(blob.duplicate);
  });

  it('wraps the key of the emulator recipe', () => {
    const { key, obfuscation, innerKey, outerSeed } = recipe.inputs;
    const wrapped = duplicateHmacKey({
      parent: decodeTpm2bPublic(hex(recipe.storageRootKey)),
      key: hex(key),
      innerKey: hex(innerKey),
      random: scriptedRandom(hex(obfuscation), hex(outerSeed), oaepSeed),
    });
    expect(toHex(wrapped.publicBytes)).toBe(recipe.publicArea);
    expect(toHex(wrapped.name)).toBe(recipe.name);
    expect(toHex(wrapped.duplicate)).toBe(recipe.duplicate);
  });

  it('makes the duplicate that a TPM loaded', () => {
    const { key, obfuscation, innerKey, outerSeed, authPolicy } = loaded.inputs;
    const wrapped = duplicateHmacKey({
      parent: rsa.storageRootKey.area,
      key: hex(key),
      innerKey: hex(innerKey),
      authPolicy: hex(authPolicy),
      random: scriptedRandom(hex(obfuscation), hex(outerSeed), oaepSeed),
    });
    expect(toHex(wrapped.publicBytes)).toBe(loaded.publicArea);
    expect(toHex(wrapped.name)).toBe(loaded.name);
    expect(toHex(wrapped.duplicate)).toBe(loaded.duplicate);
  });

  it('derives the keys that the vectors name', () => {
    for (const vector of [blob, recipe, loaded]) {
      const { outerSeed, credentialSeed } = vector.inputs;
      expect(toHex(kdfa('sha256', hex(outerSeed), 'STORAGE', hex(vector.name), none, 128))).toBe(
        vector.outerStorageKey,
      );
      expect(toHex(kdfa('sha256', hex(outerSeed), 'INTEGRITY', none, none, 256))).toBe(
        vector.outerIntegrityKey,
      );
      expect(toHex(kdfa('sha256', hex(credentialSeed), 'INTEGRITY', none, none, 256))).toBe(
        vector.credentialIntegrityKey,
      );
    }
  });

  it('refuses keys that no TPM imports', () => {
    const options = { parent: rsa.storageRootKey.area, random: seededRandom('a') };
    for (const key of [none, new Uint8Array(65)]) {
      expect(() => duplicateHmacKey({ ...options, key })).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'key' }),
      );
    }
    expect(() => duplicateHmacKey({ ...options, key: hex('00'), innerKey: hex('00') })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'innerKey' }),
    );
    expect(() => duplicateHmacKey({ ...options, key: hex('00'), objectAttributes: 0x0004_0442 })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'objectAttributes' }),
    );
  });

  it('takes a key up to one block of its hash', () => {
    const wrapped = duplicateHmacKey({
      parent: rsa.storageRootKey.area,
      key: new Uint8Array(128),
      hash: 'sha384',
      random: seededRandom('a'),
    });
    expect(wrapped.public.scheme).toEqual({ scheme: 'hmac', hash: 'sha384' });
    expect(wrapped.name).toHaveLength(2 + 48);
  });
});

interface Options {
  readonly keys: SoftwareKeys;
  readonly innerKeyBits?: 128 | 256;
  readonly key?: Uint8Array;
  readonly uri?: Uint8Array;
}

const hmacKey = hex('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');

function activation({ keys, ...options }: Options): ReturnType<typeof createActivation> {
  return createActivation({
    endorsementKey: keys.endorsementKey.area,
    storageRootKey: keys.storageRootKey.area,
    key: hmacKey,
    random: seededRandom('activation'),
    ...options,
  });
}

/** What a TPM does with the parts: ActivateCredential, then Import and Load. */
function open(keys: SoftwareKeys, parts: ReturnType<typeof createActivation>): Uint8Array {
  const innerKey = activateCredentialSoftware({
    endorsementKey: keys.endorsementKey.area,
    privateKey: keys.endorsementKey.privateKey,
    objectName: computeName(keys.storageRootKey.area),
    idObject: parts.idObject,
    encryptedSecret: parts.encryptedSecret,
  });
  return importDuplicateSoftware({
    parent: keys.storageRootKey.area,
    privateKey: keys.storageRootKey.privateKey,
    publicArea: decodePublic(parts.publicArea),
    innerKey,
    duplicate: parts.duplicate,
    encryptedSeed: parts.encryptedSeed,
  }).sensitive;
}

describe('createActivation', () => {
  it.each([
    ['RSA', rsa, [52, 256, 142, 256, 48, 3]],
    ['ECC', ecc, [52, 68, 142, 68, 48, 3]],
    [
      'an RSA endorsement key and an ECC storage root key',
      { ...ecc, endorsementKey: rsa.endorsementKey },
      [52, 256, 142, 68, 48, 3],
    ],
  ] as const)('has the part sizes of genuine blobs for %s', (_name, keys, sizes) => {
    const parts = activation({ keys, uri: hex('616263') });
    const { idObject, encryptedSecret, duplicate, encryptedSeed, publicArea, encryptedUri } = parts;
    expect(
      [idObject, encryptedSecret, duplicate, encryptedSeed, publicArea, encryptedUri].map(
        (part) => part.length,
      ),
    ).toEqual(sizes);
    expect(open(keys, parts)).toEqual(hmacKey);
  });

  it('encrypts the last part as the vector does', () => {
    const { innerKey, credentialSeed, obfuscation, outerSeed, key, uri } = blob.inputs;
    const parts = createActivation({
      endorsementKey: rsa.endorsementKey.area,
      storageRootKey: rsa.storageRootKey.area,
      key: hex(key),
      uri: hex(uri),
      random: scriptedRandom(
        hex(innerKey),
        hex(credentialSeed),
        oaepSeed,
        hex(obfuscation),
        hex(outerSeed),
        oaepSeed,
      ),
    });
    expect(toHex(parts.encryptedUri)).toBe(blob.encryptedUri);
    expect(toHex(parts.duplicate)).toBe(blob.duplicate);
  });

  it('repeats byte for byte from the same random source', () => {
    expect(activation({ keys: rsa })).toEqual(activation({ keys: rsa }));
    expect(activation({ keys: ecc })).toEqual(activation({ keys: ecc }));
  });

  it('wraps with AES-256 when asked to, and keys of 1 to 64 bytes', () => {
    expect(open(rsa, activation({ keys: rsa, innerKeyBits: 256 }))).toEqual(hmacKey);
    for (const size of [1, 16, 20, 64]) {
      const key = new Uint8Array(size).fill(size);
      expect(open(ecc, activation({ keys: ecc, key }))).toEqual(key);
    }
  });

  it('opens in no other TPM', () => {
    const parts = activation({ keys: rsa });
    const otherEk = { ...rsa, endorsementKey: rsaKey(ekTemplateRsa2048) };
    expect(() => open(otherEk, parts)).toThrow(expect.objectContaining({ code: 'ERR_TPM_FAILURE' }));
    const otherSrk = { ...rsa, storageRootKey: rsaKey(srkTemplateRsa2048) };
    expect(() => open(otherSrk, parts)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_INTEGRITY', rc: 0x1df, command: 'ActivateCredential' }),
    );
  });

  // The response codes that swtpm gave for the same alterations.
  it.each([
    ['idObject', 'ActivateCredential', 0x1df],
    ['encryptedSecret', 'ActivateCredential', 0x101],
    ['duplicate', 'Import', 0x3df],
    ['encryptedSeed', 'Import', 0x101],
    ['publicArea', 'Import', 0x3df],
  ] as const)('is refused when one bit of %s is flipped, as by a TPM', (part, command, rc) => {
    const parts = activation({ keys: rsa });
    const tampered = { ...parts, [part]: flipBit(parts[part], parts[part].length * 8 - 8) };
    expect(() => open(rsa, tampered)).toThrow(expect.objectContaining({ command, rc }));
  });

  it('does not depend on the last part', () => {
    const parts = activation({ keys: rsa, uri: hex('616263') });
    const tampered = { ...parts, encryptedUri: flipBit(parts.encryptedUri, 0) };
    expect(open(rsa, tampered)).toEqual(hmacKey);
  });

  it('refuses what no client takes', () => {
    expect(() => activation({ keys: rsa, key: new Uint8Array(65) })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'key' }),
    );
    expect(() => activation({ keys: rsa, uri: new Uint8Array(1025) })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'uri' }),
    );
    expect(() => activation({ keys: rsa, innerKeyBits: 192 as 128 })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'innerKeyBits' }),
    );
  });
});

describe('importDuplicateSoftware', () => {
  const parts = duplicateHmacKey({
    parent: rsa.storageRootKey.area,
    key: hmacKey,
    random: seededRandom('import'),
  });
  const options = {
    parent: rsa.storageRootKey.area,
    privateKey: rsa.storageRootKey.privateKey,
    publicArea: parts.public,
    duplicate: parts.duplicate,
    encryptedSeed: parts.encryptedSeed,
  };

  it('opens a duplicate without an inner wrapper', () => {
    expect(importDuplicateSoftware(options)).toEqual({
      sensitiveType: 'keyedHash',
      authValue: none,
      seedValue: expect.any(Uint8Array),
      sensitive: hmacKey,
    });
  });

  it('refuses an inner key where there is no inner wrapper, and a wrong one where there is', () => {
    const innerKey = new Uint8Array(16).fill(1);
    expect(() => importDuplicateSoftware({ ...options, innerKey })).toThrow(
      expect.objectContaining({ command: 'Import', retryable: false }),
    );
    const wrapped = duplicateHmacKey({
      parent: rsa.storageRootKey.area,
      key: hmacKey,
      innerKey,
      random: seededRandom('import'),
    });
    const wrong = { ...options, ...wrapped, publicArea: wrapped.public, innerKey: new Uint8Array(16) };
    expect(() => importDuplicateSoftware(wrong)).toThrow(expect.objectContaining({ command: 'Import' }));
  });

  it('refuses an altered key behind an outer wrapper that was made anew', () => {
    const outerSeed = new Uint8Array(32).fill(5);
    const innerKey = new Uint8Array(16).fill(1);
    const wrapped = duplicateHmacKey({
      parent: rsa.storageRootKey.area,
      key: hmacKey,
      innerKey,
      random: scriptedRandom(new Uint8Array(32), outerSeed, oaepSeed),
    });
    // Whoever knows the outer seed, but not the inner key, can flip bits of the key and mend the outer HMAC.
    const { name } = wrapped;
    const storageKey = kdfa('sha256', outerSeed, 'STORAGE', name, none, 128);
    const integrityKey = kdfa('sha256', outerSeed, 'INTEGRITY', none, none, 256);
    const decipher = createDecipheriv('aes-128-cfb', storageKey, new Uint8Array(16));
    const inner = decipher.update(wrapped.duplicate.subarray(34));
    const cipher = createCipheriv('aes-128-cfb', storageKey, new Uint8Array(16));
    const encrypted = cipher.update(flipBit(inner, inner.length * 8 - 8));
    const integrity = createHmac('sha256', integrityKey).update(encrypted).update(name).digest();
    const duplicate = Buffer.concat([hex('0020'), integrity, encrypted]);
    const altered = { ...options, ...wrapped, publicArea: wrapped.public, innerKey, duplicate };
    expect(() => importDuplicateSoftware(altered)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_INTEGRITY', rc: 0x3df }),
    );
  });

  it('refuses fixed objects as a TPM does', () => {
    const publicArea = { ...parts.public, objectAttributes: parts.public.objectAttributes | 2 };
    expect(() => importDuplicateSoftware({ ...options, publicArea })).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_ATTRIBUTES', rc: 0x2c2 }),
    );
  });

  // The codes are those of swtpm, see activation.int.test.ts.
  it.each([
    ['a public area of another key', { unique: new Uint8Array(32) }, {}, 0x0a5],
    ['a private part of another type', {}, { sensitiveType: 'symcipher' }, 0x3ca],
    ['an obfuscation value of the wrong size', {}, { seedValue: new Uint8Array(16) }, 0x3c7],
    ['a key longer than a block', {}, { sensitive: new Uint8Array(65) }, 0x3c7],
  ] as const)('refuses %s', (_what, areaChange, sensitiveChange, rc) => {
    const publicArea = { ...parts.public, ...areaChange };
    const sensitive: Sensitive = {
      sensitiveType: 'keyedHash',
      authValue: none,
      seedValue: new Uint8Array(32),
      sensitive: hmacKey,
      ...sensitiveChange,
    };
    const parent = rsa.storageRootKey.area;
    const wrapped = duplicateObject({ parent, publicArea, sensitive, random: seededRandom('import') });
    expect(() => importDuplicateSoftware({ ...options, ...wrapped, publicArea })).toThrow(
      expect.objectContaining({ command: 'Import', rc }),
    );
  });

  it('refuses truncated duplicates', () => {
    for (const length of [0, 1, 10, 33, 34]) {
      expect(() =>
        importDuplicateSoftware({ ...options, duplicate: parts.duplicate.subarray(0, length) }),
      ).toThrow(expect.objectContaining({ command: 'Import' }));
    }
  });
});
