/** Oracle: node:crypto, which makes every key, and RFC 7517/7518 for what a JWK says of itself. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { describe, expect, test } from 'vitest';
import {
  checkKeySet,
  createAsymmetricTokenKey,
  createSecretTokenKey,
  inspectToken,
  matchesIdPattern,
  mintToken,
  publicJwks,
  tokenKeysFromJwks,
} from '../src/tokens/index.ts';
import {
  ed25519,
  forge,
  goodHeader,
  goodPayload,
  issuer,
  keys,
  now,
  p256,
  url,
  verdict,
} from './support/forge.ts';

const publicPem = createPublicKey(p256).export({ type: 'spki', format: 'pem' }).toString();
const ec = { ...createPublicKey(p256).export({ format: 'jwk' }), kid: 'es' };
const oct = { kty: 'oct', kid: 'hs', k: Buffer.alloc(32, 1).toString('base64url') };
const jwks = (...list: unknown[]): unknown => tokenKeysFromJwks({ keys: list }, { issuer });
const secret = (bytes: Uint8Array, acceptWeakSecret = false): unknown =>
  createSecretTokenKey({ issuer, secret: Secret.fromBytes(bytes), acceptWeakSecret });
const pem = (type: 'rsa' | 'ec' | 'ed448' | 'x25519', curve = 'P-256'): string => {
  const { publicKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: curve })
        : type === 'ed448'
          ? generateKeyPairSync('ed448')
          : generateKeyPairSync('x25519');
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
};
const asymmetric = (key: string): unknown => createAsymmetricTokenKey({ issuer, key });

describe('keys that are refused', () => {
  test.each<readonly [string, () => unknown, string]>([
    ['an empty secret', () => secret(new Uint8Array()), 'secret-empty'],
    ['an empty secret in compatibility mode', () => secret(new Uint8Array(), true), 'secret-empty'],
    ['a secret of one byte', () => secret(new Uint8Array(1)), 'secret-too-short'],
    ['a secret of 31 bytes', () => secret(new Uint8Array(31)), 'secret-too-short'],
    ['a password', () => secret(Buffer.from('correct horse battery staple')), 'secret-too-short'],
    ['a public key as secret', () => secret(Buffer.from(publicPem)), 'secret-is-a-key-file'],
    [
      'a public key as secret in compatibility mode',
      () => secret(Buffer.from(publicPem), true),
      'secret-is-a-key-file',
    ],
    ['no PEM', () => asymmetric('key'), 'key-malformed'],
    ['an empty text', () => asymmetric(''), 'key-malformed'],
    ['RSA', () => asymmetric(pem('rsa')), 'key-type-refused'],
    ['P-384', () => asymmetric(pem('ec', 'P-384')), 'key-type-refused'],
    ['P-521', () => asymmetric(pem('ec', 'P-521')), 'key-type-refused'],
    ['secp256k1', () => asymmetric(pem('ec', 'secp256k1')), 'key-type-refused'],
    ['Ed448', () => asymmetric(pem('ed448')), 'key-type-refused'],
    ['X25519', () => asymmetric(pem('x25519')), 'key-type-refused'],
    ['a set that is a list', () => tokenKeysFromJwks([ec], { issuer }), 'key-malformed'],
    ['an empty set', () => jwks(), 'key-malformed'],
    [
      'a set of 65 keys',
      () => jwks(...Array.from({ length: 65 }, (_, at) => ({ ...ec, kid: `k${at}` }))),
      'key-malformed',
    ],
    ['a key that is text', () => jwks('ec'), 'key-malformed'],
    ['a key for encryption', () => jwks({ ...ec, use: 'enc' }), 'use-refused'],
    ['a key that may only encrypt', () => jwks({ ...ec, key_ops: ['encrypt'] }), 'use-refused'],
    ['key_ops that is text', () => jwks({ ...ec, key_ops: 'verify' }), 'use-refused'],
    ['a key without kid', () => jwks({ ...ec, kid: undefined }), 'key-id-missing'],
    ['a kid with a slash', () => jwks({ ...ec, kid: 'a/b' }), 'key-id-refused'],
    ['one kid twice', () => jwks(ec, { ...oct, kid: 'es' }), 'key-id-twice'],
    ['an alg of another family', () => jwks({ ...ec, alg: 'EdDSA' }), 'algorithm-mismatch'],
    ['HS512', () => jwks({ ...oct, alg: 'HS512' }), 'algorithm-mismatch'],
    ['alg none', () => jwks({ ...oct, alg: 'none' }), 'algorithm-mismatch'],
    ['a short oct', () => jwks({ ...oct, k: 'c2VjcmV0' }), 'secret-too-short'],
    ['an oct with padding', () => jwks({ ...oct, k: `${oct.k}=` }), 'key-malformed'],
    ['an oct without k', () => jwks({ ...oct, k: undefined }), 'key-malformed'],
    ['a point that is not on the curve', () => jwks({ ...ec, y: ec.x }), 'key-malformed'],
    [
      'P-384 as JWK',
      () =>
        jwks({
          ...generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }),
          kid: 'x',
        }),
      'key-type-refused',
    ],
    ['RSA as JWK', () => jwks({ kty: 'RSA', kid: 'r', n: 'AQAB', e: 'AQAB' }), 'key-type-refused'],
    ['no kty', () => jwks({ kid: 'k' }), 'key-type-refused'],
    [
      'two keys of one issuer without a kid',
      () =>
        checkKeySet([
          createAsymmetricTokenKey({ issuer, key: p256 }),
          createAsymmetricTokenKey({ issuer, key: p256 }),
        ]),
      'key-id-twice',
    ],
  ])('%s', (_name, make, problem) => {
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_TOKEN_KEY', problem }) as Error);
  });
});

describe('compatibility', () => {
  const weak = createSecretTokenKey({ issuer, secret: Secret.fromText('x'), acceptWeakSecret: true });
  const seeds = forge({ alg: 'HS256', typ: 'JWT' }, { url, iss: issuer, iat: 1 }, Buffer.from('x'));

  test('takes a token as the seed makes it, whatever its secret', async () => {
    expect(await verdict(seeds, { keys: [weak], compatible: true })).toBe('accepted');
  });

  test.each([
    ['a weak key in strict mode', seeds, {}, 'algorithm-refused'],
    [
      'another secret',
      forge({ alg: 'HS256' }, { iss: issuer }, Buffer.from('y')),
      { compatible: true },
      'signature-invalid',
    ],
    [
      'a token for something else',
      forge({ alg: 'HS256', typ: 'at+jwt' }, { iss: issuer }, Buffer.from('x')),
      { compatible: true },
      'type-refused',
    ],
    [
      'an expiry that has passed',
      forge({ alg: 'HS256' }, { iss: issuer, exp: 1 }, Buffer.from('x')),
      { compatible: true },
      'expired',
    ],
    [
      'an audience that is another',
      forge({ alg: 'HS256' }, { iss: issuer, aud: 'x' }, Buffer.from('x')),
      { compatible: true },
      'audience-refused',
    ],
  ] as const)('refuses %s', async (_name, token, options, expected) => {
    expect(await verdict(token, { keys: [weak], ...options })).toBe(expected);
  });

  test('two keys of an issuer and no kid is nobody’s token', async () => {
    const second = createAsymmetricTokenKey({
      issuer,
      keyId: 'es2',
      key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    });
    const token = forge({ alg: 'ES256', typ: 'device-registration+jwt' }, goodPayload, p256);
    expect(await verdict(token, { keys: [...keys, second] })).toBe('key-ambiguous');
  });
});

describe('rotation', () => {
  test('a set with the old and the new key takes tokens of both, then of the new one alone', async () => {
    const next = generateKeyPairSync('ed25519').privateKey;
    const both = tokenKeysFromJwks(
      publicJwks([
        createAsymmetricTokenKey({ issuer, keyId: 'old', key: ed25519 }),
        createAsymmetricTokenKey({ issuer, keyId: 'new', key: next }),
      ]),
      { issuer },
    );
    const old = forge({ ...goodHeader, alg: 'EdDSA', kid: 'old' }, goodPayload, ed25519);
    const fresh = forge({ ...goodHeader, alg: 'EdDSA', kid: 'new' }, goodPayload, next);
    expect([await verdict(old, { keys: both }), await verdict(fresh, { keys: both })]).toEqual([
      'accepted',
      'accepted',
    ]);
    const later = both.filter(({ keyId }) => keyId === 'new');
    expect([await verdict(old, { keys: later }), await verdict(fresh, { keys: later })]).toEqual([
      'key-unknown',
      'accepted',
    ]);
  });

  test('two issuers may use one key id', async () => {
    const other = createAsymmetricTokenKey({
      issuer: 'other.example',
      keyId: 'ed',
      key: generateKeyPairSync('ed25519').privateKey,
    });
    const token = forge(
      { ...goodHeader, alg: 'EdDSA', kid: 'ed' },
      { ...goodPayload, iss: 'other.example' },
      ed25519,
    );
    expect(await verdict(token, { keys: [...keys, other] })).toBe('signature-invalid');
  });

  test('published keys hold nothing private, and no shared secret', () => {
    const text = JSON.stringify(publicJwks(keys));
    expect(text).not.toMatch(/"d":|"k":/);
    expect(publicJwks(keys).keys.map(({ kid }) => kid)).toEqual(['es', 'ed']);
  });
});

describe('minting', () => {
  const [hs, es] = keys;
  if (hs === undefined || es === undefined) throw new Error('no keys');
  const common = { key: es, url, now, random: systemRandom, expiresInMs: 60_000 };

  test('says what it was told, and verifies', async () => {
    const { token, claims, reference } = await mintToken({
      ...common,
      maxUses: 3,
      idPattern: 'AA*',
      recipe: 'r',
      broker: 'mqtts://b',
      tags: { a: 'b' },
      endorsementKey: 'any',
    });
    expect(await verdict(token.revealText())).toBe('accepted');
    expect(claims).toMatchObject({ issuer, url, audience: [url], expiresAt: now + 60_000, maxUses: 3 });
    expect(inspectToken(token.revealText())).toMatchObject({ claims, reference, keyId: 'es' });
    expect(String(token)).not.toContain(token.revealText());
  });

  test.each<readonly [string, object, string]>([
    ['no lifetime', { expiresInMs: undefined }, 'ERR_INVALID_ARGUMENT'],
    ['a lifetime below a second', { expiresInMs: 1 }, 'ERR_OUT_OF_RANGE'],
    ['an http URL', { url: 'http://register.example.com/' }, 'ERR_INVALID_ARGUMENT'],
    ['no URL and no audience', { url: undefined }, 'ERR_INVALID_ARGUMENT'],
    ['no uses', { maxUses: 0 }, 'ERR_INVALID_ARGUMENT'],
    ['a broker that is none', { broker: 'broker' }, 'ERR_INVALID_ARGUMENT'],
    ['a public key', { key: { ...es, canSign: false } }, 'ERR_TOKEN_KEY'],
    ['a weak secret', { key: { ...hs, isWeak: true } }, 'ERR_TOKEN_KEY'],
  ])('refuses %s', async (_name, options, code) => {
    await expect(mintToken({ ...common, ...options })).rejects.toMatchObject({ code });
  });

  test.each<readonly [string, object, string]>([
    ['options.audience', { audience: [] }, 'must be 1 to 16 texts of at most 2,048 characters'],
    ['options.tokenId', { tokenId: 'a b' }, 'must be 1 to 128 printable ASCII characters without a space'],
    ['options.maxUses', { maxUses: 0 }, 'must be a whole number from 1 to 1000000000'],
    ['options.idPattern', { idPattern: '' }, 'must be a text of 1 to 255 characters'],
    ['options.recipe', { recipe: 'a/b' }, 'must be 1 to 64 letters, digits, dots, dashes and underscores'],
    [
      'options.tags',
      { tags: { a: '' } },
      'must be at most 16 names, each with a text of 1 to 255 characters',
    ],
    ['options.broker', { broker: 'broker' }, 'must be an mqtts, mqtt, wss or ws URL'],
    [
      'options.endorsementKey',
      { endorsementKey: ['00'] },
      'must be `any` or 1 to 64 Names of endorsement keys in hex',
    ],
    ['options.key.issuer', { key: { ...es, issuer: '' } }, 'must be a text of 1 to 255 characters'],
  ])('names %s by the option, and says what it must be', async (argument, options, rule) => {
    await expect(mintToken({ ...common, ...options })).rejects.toMatchObject({
      argument,
      message: `${argument} ${rule}`,
    });
  });
});

test.each([
  ['*', 'anything', true],
  ['AA:BB:*', 'AA:BB:CC', true],
  ['AA:BB:*', 'aa:bb:cc', false],
  ['SN-####', 'SN-0042', true],
  ['SN-####', 'SN-00x2', false],
  ['SN-####', 'SN-00422', false],
  ['?', '😀', true],
  ['a*b*c', 'aXbYbZc', true],
  ['a*b*c', 'aXbYbZ', false],
  ['', 'x', false],
  ['.*', 'x', false],
] as const)('the pattern %s and the id %s: %s', (pattern, id, expected) => {
  expect(matchesIdPattern(pattern, id)).toBe(expected);
});

test('a pattern of many stars takes no time that grows beyond the product of both lengths', () => {
  expect(matchesIdPattern(`${'*a'.repeat(100)}b`, 'a'.repeat(255))).toBe(false);
});
