/**
 * Oracle: the session lines of vectors/loaded-key.json, computed by functions that passed live sessions on swtpm, and the
 * policy digests of the TCG EK Credential Profile and of tpm2-tools.
 */
import {
  aes128Cfb,
  commands,
  computeCommandHmac,
  computeResponseHmac,
  cpHash,
  decryptFirstParameter,
  decryptParameter,
  deriveSessionKey,
  ekAuthPolicySha256,
  encryptFirstParameter,
  encryptParameter,
  handleName,
  policyCommandCodeDigest,
  policySecretDigest,
  rh,
  rpHash,
  sessionAttributes,
  verifyResponseHmac,
} from '@endorse/tpm2';
import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, commonHash } from './support/arbitraries.ts';
import { flipBit, hex, toHex } from './support/bytes.ts';
import vector from './vectors/loaded-key.json' with { type: 'json' };

const { session } = vector;
const nonceTpm = hex(session.nonceTpm);
const nonceCaller = hex(session.nonceCaller);
const abc = hex('616263');
const none = hex('');

const sessionKey = deriveSessionKey({ hash: 'sha256', salt: hex(session.salt), nonceTpm, nonceCaller });
const parameters = commands.HMAC.encodeParameters({ handle: 0, buffer: abc, hashAlg: 'sha256' });
const commandHash = cpHash({
  hash: 'sha256',
  commandCode: commands.HMAC.code,
  names: [hex(vector.name)],
  parameters,
});
const keys = { hash: 'sha256', sessionKey, authValue: none } as const;

describe('session keys', () => {
  it('are derived from salt and nonces', () => {
    expect(toHex(sessionKey)).toBe(session.sessionKey);
  });

  it('are empty when the session is neither salted nor bound', () => {
    expect(deriveSessionKey({ hash: 'sha256', nonceTpm, nonceCaller })).toHaveLength(0);
  });

  it('of a bound session depend on the authorization value, but not on zero bytes at its end', () => {
    const bound = (bindAuthValue: Uint8Array): string =>
      toHex(deriveSessionKey({ hash: 'sha256', bindAuthValue, nonceTpm, nonceCaller }));
    expect(bound(hex('676f6f6400'))).toBe(bound(hex('676f6f64')));
    expect(bound(hex('676f6f6400'))).not.toBe(bound(hex('676f6f6401')));
    expect(bound(none)).toHaveLength(64);
  });
});

describe('parameter hashes', () => {
  it('cover the command, the Names and the parameters', () => {
    expect(toHex(commandHash)).toBe(session.cpHash);
  });

  it('cover the response', () => {
    const response = Buffer.concat([hex('0020'), hex(vector.hmacOfAbc)]);
    const hash = rpHash({ hash: 'sha256', commandCode: commands.HMAC.code, parameters: response });
    expect(toHex(hash)).toBe(session.rpHash);
  });
});

describe('session HMACs', () => {
  it('of a command are those of the vector', () => {
    const hmac = computeCommandHmac({
      ...keys,
      cpHash: commandHash,
      nonceCaller,
      nonceTpm,
      sessionAttributes: sessionAttributes.continueSession,
    });
    expect(toHex(hmac)).toBe(session.commandHmac);
  });

  it('of a command change with every input, but not with zero bytes at the end of the authorization value', () => {
    const options = {
      ...keys,
      authValue: abc,
      cpHash: commandHash,
      nonceCaller,
      nonceTpm,
      sessionAttributes: 1,
    };
    const reference = toHex(computeCommandHmac(options));
    const changes = [
      { authValue: hex('616264') },
      { sessionKey: flipBit(sessionKey, 3) },
      { cpHash: flipBit(commandHash, 3) },
      { nonceCaller: flipBit(nonceCaller, 3) },
      { nonceTpm: flipBit(nonceTpm, 3) },
      { decryptNonceTpm: abc },
      { encryptNonceTpm: abc },
      { sessionAttributes: 0x21 },
    ];
    for (const change of changes) {
      expect(toHex(computeCommandHmac({ ...options, ...change })), JSON.stringify(change)).not.toBe(
        reference,
      );
    }
    expect(toHex(computeCommandHmac({ ...options, authValue: hex('6162630000') }))).toBe(reference);
    // HMAC itself ignores zeros at the end of a key of up to one block; this one is longer.
    const long = new Uint8Array(64).fill(7, 0, 40);
    expect(toHex(computeCommandHmac({ ...options, authValue: long }))).toBe(
      toHex(computeCommandHmac({ ...options, authValue: long.subarray(0, 40) })),
    );
    // The decrypt session's nonce comes first.
    expect(
      toHex(computeCommandHmac({ ...options, decryptNonceTpm: hex('01'), encryptNonceTpm: hex('02') })),
    ).toBe(toHex(computeCommandHmac({ ...options, decryptNonceTpm: hex('0102') })));
  });

  it('of a response are accepted, and refused after any bit flip', () => {
    const options = { ...keys, rpHash: hex(session.rpHash), nonceTpm, nonceCaller, sessionAttributes: 1 };
    const hmac = computeResponseHmac(options);
    expect(verifyResponseHmac({ ...options, hmac })).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (bit) => {
        expect(verifyResponseHmac({ ...options, hmac: flipBit(hmac, bit) })).toBe(false);
      }),
    );
    expect(verifyResponseHmac({ ...options, hmac: none })).toBe(false);
    expect(verifyResponseHmac({ ...options, hmac: hmac.subarray(1) })).toBe(false);
    expect(verifyResponseHmac({ ...options, nonceTpm: nonceCaller, nonceCaller: nonceTpm, hmac })).toBe(
      false,
    );
  });
});

describe('parameter encryption', () => {
  const encryption = { ...keys, symmetric: aes128Cfb, nonceNewer: nonceCaller, nonceOlder: nonceTpm };

  it("uses the vector's AES key and IV", () => {
    const cipher = createCipheriv('aes-128-cfb', hex(session.cfbKey), hex(session.cfbIv));
    expect(toHex(encryptParameter(encryption, abc))).toBe(cipher.update(abc, undefined, 'hex'));
  });

  it('leaves the size of the first parameter and everything after it in clear', () => {
    const encrypted = encryptFirstParameter(encryption, parameters);
    expect(toHex(encrypted.subarray(0, 2))).toBe('0003');
    expect(toHex(encrypted.subarray(5))).toBe('000b');
    expect(toHex(encrypted.subarray(2, 5))).toBe(toHex(encryptParameter(encryption, abc)));
    expect(decryptFirstParameter(encryption, encrypted)).toEqual(parameters);
  });

  it('XOR masks with KDFa, so that equal halves of long data do not look equal', () => {
    const options = { ...encryption, symmetric: { algorithm: 'xor', hash: 'sha256' } } as const;
    const masked = encryptParameter(options, new Uint8Array(64));
    expect(masked.subarray(0, 32)).not.toEqual(masked.subarray(32));
    expect(decryptParameter(options, masked)).toEqual(new Uint8Array(64));
  });

  it('is undone by its inverse, for every cipher, hash and length', () => {
    const symmetric = fc.oneof(
      fc.record({
        algorithm: fc.constantFrom('aes' as const, 'camellia' as const),
        keyBits: fc.constantFrom(128, 192, 256),
        mode: fc.constant('cfb' as const),
      }),
      fc.record({ algorithm: fc.constant('xor' as const), hash: commonHash }),
    );
    fc.assert(
      fc.property(symmetric, commonHash, bytes(0, 64), bytes(0, 300), (cipher, hash, authValue, data) => {
        const options = { ...encryption, symmetric: cipher, hash, authValue };
        expect(decryptParameter(options, encryptParameter(options, data))).toEqual(data);
      }),
    );
  });

  it('refuses parameters that do not start with a whole TPM2B', () => {
    for (const area of [none, hex('00'), hex('0001')]) {
      expect(() => encryptFirstParameter(encryption, area)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
      );
      expect(() => decryptFirstParameter(encryption, area)).toThrow(
        expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }),
      );
    }
  });

  it('refuses modes other than CFB and ciphers without it', () => {
    for (const symmetric of [
      { algorithm: 'aes', keyBits: 128, mode: 'cbc' },
      { algorithm: 'aes', keyBits: 128, mode: null },
      { algorithm: 'tdes', keyBits: 128, mode: 'cfb' },
    ] as const) {
      expect(() => encryptParameter({ ...encryption, symmetric }, abc)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('policy digests', () => {
  it('PolicySecret(endorsement) is the policy of the TCG EK templates', () => {
    expect(toHex(policySecretDigest('sha256', handleName(rh.endorsement)))).toBe(toHex(ekAuthPolicySha256));
  });

  it('PolicyCommandCode(Duplicate) is the policy of the TSS.MSR samples', () => {
    expect(toHex(policyCommandCodeDigest('sha256', commands.Duplicate.code))).toBe(vector.inputs.authPolicy);
  });
});
