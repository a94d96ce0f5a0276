/** Oracle: the structures of the npm package tss.js 2.0.0, byte for byte. */
import * as tss from '@endorse/tss';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { original } from './support/original.ts';

const bytes = fc.uint8Array({ maxLength: 48 }).map((array) => Buffer.from(array));
const short = fc.integer({ min: 0, max: 0xffff });
const int = fc.integer({ min: 0, max: 0xffff_ffff });
const narrow = fc.integer({ min: 0, max: 0x7fff_ffff });

/** Both libraries have the same constructors, so one recipe serves both. */
type Library = typeof tss & typeof original;
const libraries = [tss, original] as unknown as readonly [Library, Library];

const { SHA256, NULL, AES, CFB } = tss.TPM_ALG_ID;

const curves = fc.constantFrom(tss.TPM_ECC_CURVE.NIST_P256, tss.TPM_ECC_CURVE.NIST_P521);

const publicAreas = fc.oneof(
  fc.record({ attributes: int, policy: bytes, keyBits: short, exponent: int, unique: bytes }).map(
    ({ attributes, policy, keyBits, exponent, unique }) =>
      (library: Library) =>
        new library.TPMT_PUBLIC(
          SHA256,
          attributes,
          policy,
          new library.TPMS_RSA_PARMS(
            new library.TPMT_SYM_DEF_OBJECT(AES, 128, CFB),
            new library.TPMS_ENC_SCHEME_OAEP(SHA256),
            keyBits,
            exponent,
          ),
          new library.TPM2B_PUBLIC_KEY_RSA(unique),
        ),
  ),
  fc.record({ attributes: int, policy: bytes, curve: curves, x: bytes, y: bytes }).map(
    ({ attributes, policy, curve, x, y }) =>
      (library: Library) =>
        new library.TPMT_PUBLIC(
          SHA256,
          attributes,
          policy,
          new library.TPMS_ECC_PARMS(
            new library.TPMT_SYM_DEF_OBJECT(NULL, 0, NULL),
            new library.TPMS_SIG_SCHEME_ECDSA(SHA256),
            curve,
            new library.TPMS_NULL_KDF_SCHEME(),
          ),
          new library.TPMS_ECC_POINT(x, y),
        ),
  ),
  fc.record({ attributes: int, policy: bytes, unique: bytes }).map(
    ({ attributes, policy, unique }) =>
      (library: Library) =>
        new library.TPMT_PUBLIC(
          SHA256,
          attributes,
          policy,
          new library.TPMS_KEYEDHASH_PARMS(new library.TPMS_SCHEME_HMAC(SHA256)),
          new library.TPM2B_DIGEST_KEYEDHASH(unique),
        ),
  ),
);

const others = fc
  .record({ a: bytes, b: bytes, n: narrow, list: fc.array(bytes, { maxLength: 5 }) })
  .map(({ a, b, n, list }) => (library: Library) => [
    new library.TPML_DIGEST(list.map((digest) => new library.TPM2B_DIGEST(digest))),
    new library.TPML_PCR_SELECTION([new library.TPMS_PCR_SELECTION(SHA256, a)]),
    new library.TPMS_SENSITIVE_CREATE(a, b),
    new library.TPMT_SENSITIVE(a, b, new library.TPM2B_SENSITIVE_DATA(a)),
    new library.TPMS_NV_PUBLIC(new library.TPM_HANDLE(n), SHA256, n, a, b.length),
    new library.TPMS_QUOTE_INFO([new library.TPMS_PCR_SELECTION(SHA256, a)], b),
    new library.TPMT_TK_CREATION(new library.TPM_HANDLE(n), a),
    new library.TPMS_SIGNATURE_ECDSA(SHA256, a, b),
    new library.TPMS_AUTH_COMMAND(new library.TPM_HANDLE(n), a, 1, b),
  ]);

describe('structures', () => {
  it('of public keys have the bytes and the Name the original gives them, and survive the way back', () => {
    fc.assert(
      fc.property(publicAreas, (make) => {
        const [ours, theirs] = libraries.map((library) => make(library));
        expect(ours?.toBytes()).toEqual(theirs?.toBytes());
        expect(ours?.asTpm2B()).toEqual(theirs?.asTpm2B());
        expect(ours?.getName()).toEqual(theirs?.getName());
        const bytesOfOurs = ours?.toBytes() ?? Buffer.alloc(0);
        expect(tss.TPMT_PUBLIC.fromBytes(bytesOfOurs).toBytes()).toEqual(bytesOfOurs);
      }),
    );
  });

  it('of every other shape have the bytes the original gives them', () => {
    fc.assert(
      fc.property(others, (make) => {
        const [ours, theirs] = libraries.map((library) => make(library).map((each) => each.toBytes()));
        expect(ours).toEqual(theirs);
      }),
    );
  });

  it('either decode or are malformed, whatever the bytes', () => {
    const types = Object.entries(tss).flatMap(([name, value]) =>
      /^(TPM[TSL]_|TPM2B_)/.test(name) && typeof value === 'function' && 'fromBytes' in value
        ? [value as unknown as { readonly name: string; fromBytes(bytes: Uint8Array): unknown }]
        : [],
    );
    expect(types.length).toBeGreaterThan(150);
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 96 }), (type, input) => {
        try {
          type.fromBytes(input);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TPM_MALFORMED' });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
