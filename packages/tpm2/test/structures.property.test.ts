/**
 * Oracle: tss.js 2.0.0 for the bytes of sensitive areas, the specification's layout for XOR. Besides: whatever the bytes,
 * a decoder of a structure gives a value that encodes to them again, or ERR_TPM_MALFORMED.
 */
import type { PublicArea, Sensitive } from '@endorse/tpm2';
import {
  activateCredentialSoftware,
  commands,
  computeName,
  decodeNvPublic,
  decodePublic,
  decodeSensitive,
  decodeTpm2bPublic,
  describeObjectAttributes,
  ekTemplateEccP256,
  encodeNvPublic,
  encodePublic,
  encodeSensitive,
  encodeTpm2bPublic,
  handleKind,
  handles,
  importDuplicateSoftware,
  objectAttributes,
  rh,
  srkTemplateRsa2048,
} from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, publicArea } from './support/arbitraries.ts';
import { flipBit, hex, toHex } from './support/bytes.ts';
import { eccKeys } from './support/keys.ts';
import { tss } from './support/tss.ts';

const secret = bytes(0, 64);
const sensitive: fc.Arbitrary<Sensitive> = fc.record({
  sensitiveType: fc.constantFrom('rsa', 'ecc', 'keyedHash', 'symcipher'),
  authValue: secret,
  seedValue: secret,
  sensitive: bytes(0, 128),
});

function tssSensitive(value: Sensitive): tss.TPMT_SENSITIVE {
  const key = Buffer.from(value.sensitive);
  const composites = {
    rsa: new tss.TPM2B_PRIVATE_KEY_RSA(key),
    ecc: new tss.TPM2B_ECC_PARAMETER(key),
    keyedHash: new tss.TPM2B_SENSITIVE_DATA(key),
    symcipher: new tss.TPM2B_SYM_KEY(key),
  };
  const [auth, seed] = [Buffer.from(value.authValue), Buffer.from(value.seedValue)];
  return new tss.TPMT_SENSITIVE(auth, seed, composites[value.sensitiveType]);
}

describe('sensitive areas', () => {
  it('encode to the bytes of tss.js and decode again', () => {
    fc.assert(
      fc.property(sensitive, (value) => {
        const theirs = tssSensitive(value).toBytes();
        expect(toHex(encodeSensitive(value))).toBe(theirs.toString('hex'));
        expect(decodeSensitive(theirs)).toEqual(value);
      }),
    );
  });
});

describe('structure decoders', () => {
  it.each([
    ['decodePublic', (input: Uint8Array) => encodePublic(decodePublic(input))],
    ['decodeTpm2bPublic', (input: Uint8Array) => encodeTpm2bPublic(decodeTpm2bPublic(input))],
    ['decodeNvPublic', (input: Uint8Array) => encodeNvPublic(decodeNvPublic(input))],
    ['decodeSensitive', (input: Uint8Array) => encodeSensitive(decodeSensitive(input))],
    ['computeName', (input: Uint8Array) => (computeName(input), input)],
  ])('%s gives what encodes to the same bytes, or ERR_TPM_MALFORMED', (_name, roundTrip) => {
    const altered = fc
      .tuple(publicArea, fc.boolean(), fc.nat(), fc.nat())
      .map(([area, withSize, bit, cut]) => {
        const whole = flipBit(withSize ? encodeTpm2bPublic(area) : encodePublic(area), bit);
        return cut % 3 === 0 ? whole.subarray(0, cut % whole.byteLength) : whole;
      });
    fc.assert(
      fc.property(fc.oneof(bytes(0, 200), altered), (input) => {
        try {
          expect(toHex(roundTrip(input))).toBe(toHex(input));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TPM_MALFORMED' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('give frozen data', () => {
    fc.assert(
      fc.property(publicArea, (area) => {
        expect(Object.isFrozen(decodePublic(encodePublic(area)))).toBe(true);
      }),
    );
  });

  it('refuse what is not bytes as the caller’s mistake', () => {
    for (const input of ['0001', undefined, null, [1], new ArrayBuffer(4)]) {
      expect(() => decodePublic(input as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'bytes' }),
      );
    }
  });

  it('name the field that is wrong', () => {
    const whole = encodePublic(srkTemplateRsa2048);
    const failure = (input: Uint8Array): unknown => {
      try {
        return decodePublic(input);
      } catch (error) {
        return error;
      }
    };
    expect(failure(hex('00ff'))).toMatchObject({ path: 'TPMT_PUBLIC.type', offset: 0 });
    expect(failure(hex('000100ff'))).toMatchObject({ path: 'TPMT_PUBLIC.nameAlg', offset: 2 });
    expect(failure(whole.subarray(0, 19))).toMatchObject({ path: 'TPMT_PUBLIC.keyBits' });
    expect(failure(Buffer.concat([whole, hex('00')]))).toMatchObject({
      path: 'TPMT_PUBLIC.end',
      message: 'TPMT_PUBLIC.end is followed by 1 unexpected bytes',
    });
    expect(failure(hex('0001000b000304720041'))).toMatchObject({
      path: 'TPMT_PUBLIC.authPolicy',
      message: 'TPMT_PUBLIC.authPolicy has 65 bytes, more than 64',
    });
    expect(failure(hex('0001000b000304720000000600810043'))).toMatchObject({
      path: 'TPMT_PUBLIC.symmetric.keyBits',
    });
    expect(failure(hex('0001000b0003047200000010001008010000'))).toMatchObject({
      path: 'TPMT_PUBLIC.keyBits',
    });
  });
});

describe('software counterparts', () => {
  const keys = eccKeys();
  const publicBlob: PublicArea = {
    type: 'keyedHash',
    nameAlg: 'sha256',
    objectAttributes: 0,
    authPolicy: hex(''),
    scheme: null,
    unique: hex(''),
  };

  it('throw nothing but TpmError for any bytes', () => {
    fc.assert(
      fc.property(bytes(0, 80), bytes(0, 80), (first, second) => {
        const { area, privateKey } = keys.endorsementKey;
        const activate = (): unknown =>
          activateCredentialSoftware({
            endorsementKey: area,
            privateKey,
            objectName: hex(''),
            idObject: first,
            encryptedSecret: second,
          });
        const load = (): unknown =>
          importDuplicateSoftware({
            parent: keys.storageRootKey.area,
            privateKey: keys.storageRootKey.privateKey,
            publicArea: publicBlob,
            duplicate: first,
            encryptedSeed: second,
          });
        expect(activate).toThrow(
          expect.objectContaining({ name: 'TpmError', command: 'ActivateCredential' }),
        );
        expect(load).toThrow(expect.objectContaining({ name: 'TpmError', command: 'Import' }));
      }),
      { numRuns: 200 },
    );
  });
});

describe('encoders of public areas', () => {
  it.each([
    ['type', { ...ekTemplateEccP256, type: 'dsa' }],
    ['nameAlg', { ...ekTemplateEccP256, nameAlg: 'md5' }],
    ['objectAttributes', { ...ekTemplateEccP256, objectAttributes: -1 }],
    ['authPolicy', { ...ekTemplateEccP256, authPolicy: new Uint8Array(65) }],
    [
      'symmetric.algorithm',
      { ...ekTemplateEccP256, symmetric: { algorithm: 'des', keyBits: 128, mode: 'cfb' } },
    ],
    [
      'symmetric.keyBits',
      { ...ekTemplateEccP256, symmetric: { algorithm: 'aes', keyBits: 64, mode: 'cfb' } },
    ],
    ['symmetric.mode', { ...ekTemplateEccP256, symmetric: { algorithm: 'aes', keyBits: 128, mode: 'gcm' } }],
    ['scheme.scheme', { ...ekTemplateEccP256, scheme: { scheme: 'rsassa', hash: 'sha256' } }],
    ['curveId', { ...ekTemplateEccP256, curveId: 'secp256k1' }],
    ['unique.x', { ...ekTemplateEccP256, unique: { x: new Uint8Array(129), y: hex('') } }],
    ['keyBits', { ...srkTemplateRsa2048, keyBits: 2047 }],
    ['exponent', { ...srkTemplateRsa2048, exponent: 2 ** 32 }],
    ['unique', { ...srkTemplateRsa2048, unique: 'AQAB' }],
  ])('refuse an unusable %s', (argument, area) => {
    expect(() => encodePublic(area as unknown as PublicArea)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^ERR_(INVALID_ARGUMENT|OUT_OF_RANGE)$/),
        argument,
      }),
    );
  });
});

describe('session ciphers', () => {
  it('write XOR as its algorithm and hash (TPMT_SYM_DEF), without key bits or mode', () => {
    const request = {
      nonceCaller: new Uint8Array(16),
      sessionType: 'hmac',
      symmetric: { algorithm: 'xor', hash: 'sha384' },
      authHash: 'sha256',
    } as const;
    const parameters = toHex(commands.StartAuthSession.encodeParameters(request));
    expect(parameters).toBe(`0010${'00'.repeat(16)}000000000a000c000b`);
    expect(commands.StartAuthSession.encodeHandles(request)).toEqual([rh.null, rh.null]);
  });
});

describe('attributes and handles', () => {
  it('have the bits of tss.js', () => {
    const { TPMA_OBJECT } = tss;
    expect(objectAttributes).toMatchObject({
      fixedTpm: TPMA_OBJECT.fixedTPM,
      stClear: TPMA_OBJECT.stClear,
      fixedParent: TPMA_OBJECT.fixedParent,
      sensitiveDataOrigin: TPMA_OBJECT.sensitiveDataOrigin,
      userWithAuth: TPMA_OBJECT.userWithAuth,
      adminWithPolicy: TPMA_OBJECT.adminWithPolicy,
      noDa: TPMA_OBJECT.noDA,
      encryptedDuplication: TPMA_OBJECT.encryptedDuplication,
      restricted: TPMA_OBJECT.restricted,
      decrypt: TPMA_OBJECT.decrypt,
      sign: TPMA_OBJECT.sign,
      x509Sign: TPMA_OBJECT.x509sign,
    });
    const { OWNER, NULL, LOCKOUT, ENDORSEMENT, PLATFORM, PLATFORM_NV } = tss.TPM_RH;
    expect(rh).toEqual({
      owner: OWNER,
      null: NULL,
      pw: tss.TPM_RH.PW,
      lockout: LOCKOUT,
      endorsement: ENDORSEMENT,
      platform: PLATFORM,
      platformNv: PLATFORM_NV,
    });
  });

  it('are described in words', () => {
    expect(describeObjectAttributes(0x0004_0440)).toEqual(['userWithAuth', 'noDa', 'sign']);
    expect(describeObjectAttributes(0x8000_0001)).toEqual(['bit 0', 'bit 31']);
    const kinds = [
      0,
      0x0150_0001,
      0x0200_0000,
      0x0300_0000,
      rh.owner,
      0x80ff_ffff,
      handles.identityKey,
      0x9000_0000,
      0xff00_0000,
    ];
    expect(kinds.map(handleKind)).toEqual([
      'pcr',
      'nv',
      'hmacSession',
      'policySession',
      'permanent',
      'transient',
      'persistent',
      'attached',
      'other',
    ]);
  });
});
