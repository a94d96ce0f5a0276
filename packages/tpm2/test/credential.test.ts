/**
 * Oracles: three independently computed vectors, two of them accepted by a TPM (vectors/*.json), and the credential of
 * keylime's own test.
 */
import { computeName, decodeTpm2bPublic, makeCredential } from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { hex, toHex } from './support/bytes.ts';
import { rsaKeys } from './support/keys.ts';
import { scriptedRandom, seededRandom } from './support/random.ts';
import blob from './vectors/activation-blob.json' with { type: 'json' };
import recipe from './vectors/emulator-recipe.json' with { type: 'json' };
import keylime from './vectors/keylime-credential.json' with { type: 'json' };
import loaded from './vectors/loaded-key.json' with { type: 'json' };

const rsa = rsaKeys();
const oaepSeed = new Uint8Array(32).fill(0x77);
const none = hex('');

describe('makeCredential', () => {
  it('encrypts the inner key of the activation blob vector', () => {
    const { innerKey, credentialSeed, storageRootKeyName } = blob.inputs;
    const credential = makeCredential({
      endorsementKey: rsa.endorsementKey.area,
      objectName: hex(storageRootKeyName),
      credential: hex(innerKey),
      random: scriptedRandom(hex(credentialSeed), oaepSeed),
    });
    expect(toHex(credential.idObject)).toBe(blob.idObject);
  });

  it('encrypts the inner key of the emulator recipe', () => {
    const credential = makeCredential({
      endorsementKey: rsa.endorsementKey.area,
      objectName: computeName(decodeTpm2bPublic(hex(recipe.storageRootKey))),
      credential: hex(recipe.inputs.innerKey),
      random: scriptedRandom(hex(recipe.inputs.credentialSeed), oaepSeed),
    });
    expect(toHex(credential.idObject)).toBe(recipe.idObject);
  });

  it('makes the id object that a TPM decrypted', () => {
    const credential = makeCredential({
      endorsementKey: rsa.endorsementKey.area,
      objectName: hex(loaded.name),
      credential: hex(loaded.inputs.credential),
      random: scriptedRandom(hex(loaded.inputs.credentialSeed), oaepSeed),
    });
    expect(toHex(credential.idObject)).toBe(loaded.idObject);
  });

  it("makes the credential of keylime's test", () => {
    const constant = { bytes: (length: number) => new Uint8Array(length).fill(0x12) };
    const credential = makeCredential({
      endorsementKey: decodeTpm2bPublic(hex(keylime.endorsementKey)),
      objectName: hex(keylime.objectName),
      credential: hex(keylime.credential),
      random: constant,
    });
    expect(toHex(credential.idObject)).toBe(keylime.idObject);
  });

  it('refuses a credential longer than a digest, and a key that is no storage key', () => {
    const options = {
      endorsementKey: rsa.endorsementKey.area,
      objectName: none,
      credential: new Uint8Array(33),
      random: seededRandom('a'),
    };
    expect(() => makeCredential(options)).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: 'credential' }),
    );
    const signingKey = { ...rsa.endorsementKey.area, symmetric: null } as const;
    expect(() => makeCredential({ ...options, endorsementKey: signingKey, credential: none })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'endorsementKey.symmetric' }),
    );
  });
});
