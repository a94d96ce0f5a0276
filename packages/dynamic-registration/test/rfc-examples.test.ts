/**
 * Oracles: the example tokens and keys of RFC 7515 (appendix A), RFC 7519, RFC 7520 (cookbook) and RFC 8037, and
 * node:crypto, which signs where an example's payload is not a registration token.
 */
import { createPublicKey, verify } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '@endorse/interface/node';
import {
  createAsymmetricTokenKey,
  createSecretTokenKey,
  inspectToken,
  mintToken,
  tokenKeyFromJwk,
} from '../src/tokens/index.ts';
import { ed25519, forge, goodPayload, issuer, now, p256, url, verdict } from './support/forge.ts';

const joe = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const frodo =
  'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4';
/** RFC 7515 A.1, which is also RFC 7519 3.1. */
const hs256 = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${joe}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;
/** RFC 7515 A.3. */
const es256 = `eyJhbGciOiJFUzI1NiJ9.${joe}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`;
const hsKey = {
  kty: 'oct',
  kid: 'a1',
  k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
};
const joesKeys = [
  createSecretTokenKey({ issuer: 'joe', secret: Secret.fromBytes(Buffer.from(hsKey.k, 'base64url')) }),
  createAsymmetricTokenKey({ issuer: 'joe', key: p256 }),
];
const before2011 = { now: 1_300_819_379_000, keys: joesKeys, compatible: true };

describe('example tokens', () => {
  test.each([
    ['RFC 7515 A.1 and RFC 7519 3.1, HS256, in their time', hs256, before2011, 'accepted'],
    ['RFC 7515 A.3, ES256, in its time', es256, before2011, 'accepted'],
    ['RFC 7515 A.1, today', hs256, { keys: joesKeys, compatible: true }, 'expired'],
    ['RFC 7515 A.1, in strict mode', hs256, { ...before2011, compatible: false }, 'type-refused'],
    [
      'RFC 7515 A.1, under the key of A.3 alone',
      hs256,
      { ...before2011, keys: joesKeys.slice(1) },
      'algorithm-refused',
    ],
    [
      'RFC 7515 A.5 and RFC 7519 6.1, unsecured',
      `eyJhbGciOiJub25lIn0.${joe}.`,
      before2011,
      'algorithm-refused',
    ],
    [
      'RFC 7515 E, a critical header that nobody knows',
      'eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.',
      before2011,
      'malformed',
    ],
    [
      'RFC 7520 4.1, RS256',
      `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${frodo}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg`,
      {},
      'malformed',
    ],
    [
      'RFC 7520 4.3, ES512',
      `eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${frodo}.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2`,
      {},
      'malformed',
    ],
    [
      'RFC 7520 4.4, HS256 of a payload that is prose',
      `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.${frodo}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`,
      {},
      'malformed',
    ],
    [
      'RFC 7520 4.5, detached content',
      'eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9..s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0',
      {},
      'malformed',
    ],
    [
      'RFC 8037 A.4, EdDSA of a payload that is prose',
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
      {},
      'malformed',
    ],
  ] as const)('%s', async (_name, token, options, expected) => {
    expect(await verdict(token, options)).toBe(expected);
  });
});

describe('example keys', () => {
  const oct7520 = {
    kty: 'oct',
    kid: '018c0ae5-4d9b-471b-bfd6-eef314bc7037',
    use: 'sig',
    alg: 'HS256',
    k: 'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
  };
  const okp8037 = {
    kty: 'OKP',
    crv: 'Ed25519',
    kid: 'okp',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  };
  const ec7515 = {
    kty: 'EC',
    crv: 'P-256',
    kid: 'ec',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  };

  test.each([
    ['RFC 7520 3.5, oct', oct7520, 'HS256', Buffer.from(oct7520.k, 'base64url')],
    ['RFC 8037 A.2, Ed25519', okp8037, 'EdDSA', ed25519],
    ['RFC 8037 A.2 under its name of RFC 9864', okp8037, 'Ed25519', ed25519],
    ['RFC 7515 A.3, P-256', ec7515, 'ES256', p256],
  ] as const)('%s verifies what node:crypto signed', async (_name, jwk, alg, signer) => {
    const key = tokenKeyFromJwk(jwk, { issuer });
    const token = forge({ alg, typ: 'device-registration+jwt', kid: jwk.kid }, goodPayload, signer);
    expect(await verdict(token, { keys: [key] })).toBe('accepted');
  });

  test.each([
    ['ES256', p256, 'sha256'],
    ['EdDSA', ed25519, null],
  ] as const)('a token minted with %s is good for node:crypto', async (algorithm, key, hash) => {
    const minted = await mintToken({
      key: createAsymmetricTokenKey({ issuer, keyId: 'k', key }),
      url,
      expiresInMs: 60_000,
      now,
      random: systemRandom,
    });
    const [header = '', payload = '', signature = ''] = minted.token.revealText().split('.');
    const publicKey = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const;
    const data = Buffer.from(`${header}.${payload}`);
    expect(verify(hash, data, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(inspectToken(minted.token.revealText())).toMatchObject({ algorithm, reference: minted.reference });
  });
});
