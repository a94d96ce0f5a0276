/**
 * The corpus of bad tokens, each with its pinned verdict. Oracle of every signature: node:crypto, in `support/forge`.
 * Unless a row says otherwise the signature is good: what is refused is refused for the reason given.
 */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  ed25519,
  forge,
  goodHeader,
  goodPayload,
  hmacSecret,
  issuer,
  type Json,
  nowSeconds,
  p256,
  segment,
  signWith,
  url,
  verdict,
} from './support/forge.ts';

type Row = readonly [name: string, token: unknown, expected: string];

const good = forge();
const [header = '', payload = '', signature = ''] = good.split('.');
const esHeader = { ...goodHeader, alg: 'ES256', kid: 'es' };
const edHeader = { ...goodHeader, alg: 'EdDSA', kid: 'ed' };
const esToken = forge(esHeader, goodPayload, p256);
const withHeader = (members: Json): string => forge({ ...goodHeader, ...members });
const withClaims = (members: Json): string => forge(goodHeader, { ...goodPayload, ...members });
const without = (name: string): string =>
  forge(goodHeader, Object.fromEntries(Object.entries(goodPayload).filter(([key]) => key !== name)));
const rawPayload = (text: string): string => forge(goodHeader, text);

describe('good tokens', () => {
  test.each<Row>([
    ['HS256', good, 'accepted'],
    ['ES256', esToken, 'accepted'],
    ['EdDSA', forge(edHeader, goodPayload, ed25519), 'accepted'],
    ['Ed25519', forge({ ...edHeader, alg: 'Ed25519' }, goodPayload, ed25519), 'accepted'],
    ['with its type written in full', withHeader({ typ: 'application/device-registration+jwt' }), 'accepted'],
    ['for several registrars', withClaims({ aud: ['https://other.example', url] }), 'accepted'],
    ['with claims nobody knows', withClaims({ 'https://example.com/x': { y: [1] } }), 'accepted'],
    [
      'with __proto__, which is only a name',
      rawPayload(JSON.stringify(goodPayload).replace('{', '{"__proto__":{"admin":true},')),
      'accepted',
    ],
    ['at the last second', withClaims({ exp: nowSeconds - 4 }), 'accepted'],
    [
      'with every claim',
      withClaims({
        nbf: nowSeconds,
        max_uses: 5,
        id_pattern: 'AA:*',
        recipe: 'tl-generator',
        tags: { site: 'north' },
        broker: 'mqtts://b.example',
        ek: true,
      }),
      'accepted',
    ],
  ])('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected);
  });
});

describe('form', () => {
  const lastCharacter = signature.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const dirty = signature.slice(0, -1) + (alphabet[alphabet.indexOf(lastCharacter) ^ 1] ?? '');
  const deep = `{"iss":${'['.repeat(300)}${']'.repeat(300)}}`;
  test.each<Row>([
    ['undefined', undefined, 'not-a-string'],
    ['null', null, 'not-a-string'],
    ['a number', 7, 'not-a-string'],
    ['an object', { token: good }, 'not-a-string'],
    ['an array of one token', [good], 'not-a-string'],
    ['empty', '', 'malformed'],
    ['one dot', '.', 'malformed'],
    ['two dots', '..', 'malformed'],
    ['one segment', header, 'malformed'],
    ['two segments', `${header}.${payload}`, 'malformed'],
    ['four segments', `${good}.x`, 'malformed'],
    ['five segments, as JWE has', `${header}.a.b.c.d`, 'malformed'],
    ['a trailing dot', `${good}.`, 'malformed'],
    ['a leading dot', `.${good}`, 'malformed'],
    ['an empty header', `.${payload}.${signature}`, 'malformed'],
    ['an empty payload', `${header}..${signature}`, 'malformed'],
    ['the JSON serialisation', JSON.stringify({ protected: header, payload, signature }), 'malformed'],
    ['dirty trailing bits in the signature', `${header}.${payload}.${dirty}`, 'not-canonical'],
    ['dirty trailing bits in the header', `e31.${payload}.${signature}`, 'not-canonical'],
    ['padding after the signature', `${good}=`, 'not-canonical'],
    ['two padding characters', `${good}==`, 'not-canonical'],
    ['padding after the header', `${header}=.${payload}.${signature}`, 'not-canonical'],
    ['a space after it', `${good} `, 'not-canonical'],
    ['a space before it', ` ${good}`, 'not-canonical'],
    [
      'a space in the signature',
      `${header}.${payload}.${signature.slice(0, 9)} ${signature.slice(9)}`,
      'not-canonical',
    ],
    ['a line feed after it', `${good}\n`, 'not-canonical'],
    [
      'CRLF in the payload',
      `${header}.${payload.slice(0, 8)}\r\n${payload.slice(8)}.${signature}`,
      'not-canonical',
    ],
    [
      'a tab in the header',
      `${header.slice(0, 4)}\t${header.slice(4)}.${payload}.${signature}`,
      'not-canonical',
    ],
    ['a NUL after it', `${good}\0`, 'not-canonical'],
    ['a quotation mark around it', `"${good}"`, 'not-canonical'],
    ['Bearer before it', `Bearer ${good}`, 'not-canonical'],
    ['a question mark in it', `${header}.${payload}.?${signature.slice(1)}`, 'not-canonical'],
    [
      'plain base64 instead of base64url',
      `${header}.${payload}.${signature.slice(0, -2)}+/`,
      'not-canonical',
    ],
    ['a letter outside ASCII', `${header}.${payload}.${signature.slice(0, -1)}é`, 'not-canonical'],
    ['a full-width letter', `${header}.${payload}.${signature.slice(0, -1)}Ａ`, 'not-canonical'],
    ['a length that base64 cannot have', `${header}.${payload}.${signature}AA`, 'not-canonical'],
    ['a header that is no base64', `{"alg":"HS256"}.${payload}.${signature}`, 'not-canonical'],
    ['more than 8 KiB of claims', withClaims({ note: 'x'.repeat(7000) }), 'too-large'],
    ['a header of 200 kB', withHeader({ note: 'x'.repeat(200_000) }), 'too-large'],
    ['a signature of 10 kB', `${header}.${payload}.${'A'.repeat(10_000)}`, 'too-large'],
    ['ten megabytes', 'A'.repeat(10_000_000), 'too-large'],
    ['a header that is no JSON', forge('alg=HS256'), 'malformed'],
    ['a header that is an array', forge('["HS256"]'), 'malformed'],
    ['a header that is null', forge('null'), 'malformed'],
    ['a header with a BOM', forge(`\uFEFF${JSON.stringify(goodHeader)}`), 'malformed'],
    [
      'a header that is not UTF-8',
      `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${payload}.${signature}`,
      'malformed',
    ],
    ['a header with a comment', forge('{"alg":"HS256"/**/}'), 'malformed'],
    ['a header with a trailing comma', forge('{"alg":"HS256",}'), 'malformed'],
    ['a payload that is prose', rawPayload('hello'), 'malformed'],
    ['a payload that is an array', rawPayload('[]'), 'malformed'],
    ['a payload that is text', rawPayload('"{}"'), 'malformed'],
    ['a payload that is a number', rawPayload('1'), 'malformed'],
    ['a payload that ends early', rawPayload('{"iss":"example.com"'), 'malformed'],
    ['a payload of two objects', rawPayload('{}{}'), 'malformed'],
    ['a payload nested 300 deep', rawPayload(deep), 'malformed'],
    ['a header nested 300 deep', forge(`{"alg":${'{"a":'.repeat(300)}1${'}'.repeat(300)}}`), 'malformed'],
    ['a payload with NaN', rawPayload('{"exp":NaN}'), 'malformed'],
    ['alg twice', forge('{"alg":"none","alg":"HS256"}'), 'duplicate-member'],
    ['kid twice', forge('{"alg":"HS256","kid":"es","kid":"hs"}'), 'duplicate-member'],
    [
      'exp twice',
      rawPayload(JSON.stringify(goodPayload).replace('{', '{"exp":9999999999,')),
      'duplicate-member',
    ],
    [
      'iss twice, once escaped',
      rawPayload(JSON.stringify(goodPayload).replace('{', '{"\\u0069ss":"evil.example",')),
      'duplicate-member',
    ],
    [
      'a member twice inside tags',
      rawPayload(JSON.stringify(goodPayload).replace('{', '{"tags":{"a":"1","a":"2"},')),
      'duplicate-member',
    ],
  ])('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected);
  });
});

describe('algorithms', () => {
  const unsigned = (alg: unknown): string => `${segment({ ...goodHeader, alg })}.${payload}.`;
  test.each<Row>([
    ['none', unsigned('none'), 'algorithm-refused'],
    ['None', unsigned('None'), 'algorithm-refused'],
    ['NONE', unsigned('NONE'), 'algorithm-refused'],
    ['nOnE', unsigned('nOnE'), 'algorithm-refused'],
    ['none with a signature', withHeader({ alg: 'none' }), 'algorithm-refused'],
    ['an empty name', unsigned(''), 'algorithm-refused'],
    ['null', unsigned(null), 'algorithm-refused'],
    ['a list', unsigned(['HS256']), 'algorithm-refused'],
    ['a number', unsigned(256), 'algorithm-refused'],
    ['no alg at all', forge({ typ: goodHeader['typ'], kid: 'hs' }), 'algorithm-refused'],
    ['hs256 in lower case', withHeader({ alg: 'hs256' }), 'algorithm-refused'],
    ['a space after it', withHeader({ alg: 'HS256 ' }), 'algorithm-refused'],
    ['HS384', withHeader({ alg: 'HS384' }), 'algorithm-refused'],
    ['HS512', withHeader({ alg: 'HS512' }), 'algorithm-refused'],
    ['HS1', withHeader({ alg: 'HS1' }), 'algorithm-refused'],
    ['RS256', withHeader({ alg: 'RS256' }), 'algorithm-refused'],
    ['PS256', withHeader({ alg: 'PS256' }), 'algorithm-refused'],
    ['ES384', withHeader({ alg: 'ES384' }), 'algorithm-refused'],
    ['ES512', withHeader({ alg: 'ES512' }), 'algorithm-refused'],
    ['ES256K', withHeader({ alg: 'ES256K' }), 'algorithm-refused'],
    ['Ed448', withHeader({ alg: 'Ed448' }), 'algorithm-refused'],
    ['dir, which encrypts', withHeader({ alg: 'dir' }), 'algorithm-refused'],
    ['PBES2', withHeader({ alg: 'PBES2-HS256+A128KW' }), 'algorithm-refused'],
    ['ML-DSA-44', withHeader({ alg: 'ML-DSA-44' }), 'algorithm-refused'],
    ['an alg that is a name of an object', withHeader({ alg: '__proto__' }), 'algorithm-refused'],
    ['HS256 under an EC key', withHeader({ kid: 'es' }), 'algorithm-refused'],
    ['HS256 under an Ed25519 key', withHeader({ kid: 'ed' }), 'algorithm-refused'],
    ['ES256 under a secret', forge({ ...esHeader, kid: 'hs' }, goodPayload, p256), 'algorithm-refused'],
    ['EdDSA under an EC key', forge({ ...edHeader, kid: 'es' }, goodPayload, ed25519), 'algorithm-refused'],
    [
      'HMAC with the PEM of the public key as secret',
      forge(
        { ...goodHeader, kid: 'es' },
        goodPayload,
        Buffer.from(createPublicKey(p256).export({ type: 'spki', format: 'pem' })),
      ),
      'algorithm-refused',
    ],
    [
      'HMAC with the DER of the public key as secret, without a kid',
      forge(
        { alg: 'HS256', typ: goodHeader['typ'] },
        goodPayload,
        createPublicKey(p256).export({ type: 'spki', format: 'der' }),
      ),
      'signature-invalid',
    ],
  ])('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected);
  });
});

describe('headers', () => {
  const jwk = createPublicKey(p256).export({ format: 'jwk' });
  test.each<Row>([
    ['crit that names exp', withHeader({ crit: ['exp'], exp: 1 }), 'critical-header'],
    ['an empty crit', withHeader({ crit: [] }), 'critical-header'],
    ['crit that is null', withHeader({ crit: null }), 'critical-header'],
    ['b64 false, critical', withHeader({ crit: ['b64'], b64: false }), 'critical-header'],
    ['b64 false', withHeader({ b64: false }), 'header-refused'],
    ['b64 true', withHeader({ b64: true }), 'header-refused'],
    ['a key of its own', withHeader({ jwk }), 'header-refused'],
    ['an address of keys', withHeader({ jku: 'https://evil.example/jwks.json' }), 'header-refused'],
    ['an address in this machine', withHeader({ jku: 'http://169.254.169.254/' }), 'header-refused'],
    ['an address of a certificate', withHeader({ x5u: 'https://evil.example/c.pem' }), 'header-refused'],
    ['a certificate of its own', withHeader({ x5c: ['AAAA'] }), 'header-refused'],
    ['a thumbprint', withHeader({ x5t: 'AAAA' }), 'header-refused'],
    ['a compressed payload', withHeader({ zip: 'DEF' }), 'header-refused'],
    ['an encryption', withHeader({ enc: 'A128GCM' }), 'header-refused'],
    ['a work factor', withHeader({ p2c: 2 ** 31 }), 'header-refused'],
    ['a kid that is a path', withHeader({ kid: '../../dev/null' }), 'header-refused'],
    ['a kid that is SQL', withHeader({ kid: "x' UNION SELECT 'secret" }), 'header-refused'],
    ['a kid that is a command', withHeader({ kid: 'hs|whoami' }), 'header-refused'],
    ['an empty kid', withHeader({ kid: '' }), 'header-refused'],
    ['a kid that is null', withHeader({ kid: null }), 'header-refused'],
    ['a kid that is a list', withHeader({ kid: ['hs'] }), 'header-refused'],
    ['a kid of 129 characters', withHeader({ kid: 'k'.repeat(129) }), 'header-refused'],
    ['a kid with a NUL', withHeader({ kid: 'hs\0' }), 'header-refused'],
    ['a kid that nobody has', withHeader({ kid: 'hs2' }), 'key-unknown'],
    ['a kid in other case', withHeader({ kid: 'HS' }), 'key-unknown'],
    ['a kid that is a name of an object', withHeader({ kid: 'constructor' }), 'key-unknown'],
    ['no typ', forge({ alg: 'HS256', kid: 'hs' }), 'type-refused'],
    ['JWT as typ', withHeader({ typ: 'JWT' }), 'type-refused'],
    ['an access token', withHeader({ typ: 'at+jwt' }), 'type-refused'],
    ['a typ in other case', withHeader({ typ: 'Device-Registration+JWT' }), 'type-refused'],
    ['a typ that is a list', withHeader({ typ: ['device-registration+jwt'] }), 'type-refused'],
  ])('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected);
  });
});

describe('signatures', () => {
  const der = sign('sha256', Buffer.from(esToken.slice(0, esToken.lastIndexOf('.'))), p256);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const input = `${header}.${payload}`;
  const esInput = esToken.slice(0, esToken.lastIndexOf('.'));
  const with64 = (bytes: Uint8Array): string => `${esInput}.${Buffer.from(bytes).toString('base64url')}`;
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  test.each<Row>([
    ['none', `${input}.`, 'signature-invalid'],
    [
      'of another token',
      `${header}.${segment({ ...goodPayload, jti: 'other' })}.${signature}`,
      'signature-invalid',
    ],
    [
      'with one bit flipped',
      `${input}.${Buffer.from(signWith(hmacSecret, input).map((byte, at) => (at === 5 ? byte ^ 1 : byte))).toString('base64url')}`,
      'signature-invalid',
    ],
    [
      'cut to 16 bytes',
      `${input}.${signWith(hmacSecret, input).subarray(0, 16).toString('base64url')}`,
      'signature-invalid',
    ],
    [
      'cut to one byte',
      `${input}.${signWith(hmacSecret, input).subarray(0, 1).toString('base64url')}`,
      'signature-invalid',
    ],
    [
      'with a byte behind it',
      `${input}.${Buffer.concat([signWith(hmacSecret, input), Buffer.of(0)]).toString('base64url')}`,
      'signature-invalid',
    ],
    [
      'with an empty secret',
      `${input}.${createHmac('sha256', '').update(input).digest('base64url')}`,
      'signature-invalid',
    ],
    ['with a secret of zeros', forge(goodHeader, goodPayload, Buffer.alloc(32)), 'signature-invalid'],
    ['with the word secret', forge(goodHeader, goodPayload, Buffer.from('secret')), 'signature-invalid'],
    [
      'HMAC with SHA-512',
      `${input}.${createHmac('sha512', hmacSecret).update(input).digest('base64url')}`,
      'signature-invalid',
    ],
    [
      'in hex',
      `${input}.${Buffer.from(signWith(hmacSecret, input).toString('hex')).toString('base64url')}`,
      'signature-invalid',
    ],
    ['ECDSA of another key', forge(esHeader, goodPayload, other), 'signature-invalid'],
    ['ECDSA in DER', with64(der), 'signature-invalid'],
    ['ECDSA of zeros', with64(new Uint8Array(64)), 'signature-invalid'],
    ['ECDSA with r and s the order', with64(Buffer.concat([order, order])), 'signature-invalid'],
    [
      'ECDSA with s zero',
      with64(Buffer.concat([Buffer.alloc(31), Buffer.of(1), Buffer.alloc(32)])),
      'signature-invalid',
    ],
    ['ECDSA of 63 bytes', with64(new Uint8Array(63).fill(1)), 'signature-invalid'],
    ['ECDSA of 132 bytes, as P-521 has', with64(new Uint8Array(132).fill(1)), 'signature-invalid'],
    [
      'Ed25519 of zeros',
      `${segment(edHeader)}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      'signature-invalid',
    ],
    ['Ed25519 by an EC key', forge(edHeader, goodPayload, p256), 'signature-invalid'],
  ])('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected);
  });
});

describe('claims', () => {
  test.each<Row>([
    ['no iss', without('iss'), 'key-unknown'],
    ['another iss', withClaims({ iss: 'evil.example' }), 'key-unknown'],
    ['iss in a list', withClaims({ iss: [issuer] }), 'key-unknown'],
    ['iss in other case', withClaims({ iss: 'Example.com' }), 'key-unknown'],
    ['no exp', without('exp'), 'claim-missing'],
    ['no jti', without('jti'), 'claim-missing'],
    ['no aud', without('aud'), 'claim-missing'],
    ['exp as text', withClaims({ exp: String(nowSeconds + 60) }), 'claim-malformed'],
    ['exp null', withClaims({ exp: null }), 'claim-malformed'],
    ['exp true', withClaims({ exp: true }), 'claim-malformed'],
    [
      'exp infinite',
      rawPayload(JSON.stringify(goodPayload).replace(/"exp":\d+/, '"exp":1e999')),
      'claim-malformed',
    ],
    ['exp negative', withClaims({ exp: -1 }), 'claim-malformed'],
    ['exp with a fraction', withClaims({ exp: nowSeconds + 0.5 }), 'claim-malformed'],
    ['exp in the year 10000', withClaims({ exp: 253_402_300_800 }), 'claim-malformed'],
    ['exp in milliseconds', withClaims({ exp: (nowSeconds + 60) * 1000 }), 'claim-malformed'],
    ['exp as a list', withClaims({ exp: [nowSeconds + 60] }), 'claim-malformed'],
    ['expired', withClaims({ exp: nowSeconds - 5 }), 'expired'],
    ['expired in 1970', withClaims({ exp: 0 }), 'expired'],
    ['not yet valid', withClaims({ nbf: nowSeconds + 6 }), 'not-yet-valid'],
    ['nbf as text', withClaims({ nbf: '0' }), 'claim-malformed'],
    ['made in the future', withClaims({ iat: nowSeconds + 6 }), 'issued-in-the-future'],
    ['iat as text', withClaims({ iat: 'now' }), 'claim-malformed'],
    ['good for a hundred years', withClaims({ exp: nowSeconds + 100 * 31_536_000 }), 'lifetime-too-long'],
    ['for another registrar', withClaims({ aud: 'https://other.example/' }), 'audience-refused'],
    ['for a registrar with a slash more', withClaims({ aud: `${url}/` }), 'audience-refused'],
    ['for nobody', withClaims({ aud: [] }), 'claim-malformed'],
    ['for a number', withClaims({ aud: 7 }), 'claim-malformed'],
    ['for a list in a list', withClaims({ aud: [[url]] }), 'claim-malformed'],
    ['for an object', withClaims({ aud: { [url]: true } }), 'claim-malformed'],
    ['jti empty', withClaims({ jti: '' }), 'claim-malformed'],
    ['jti a number', withClaims({ jti: 7 }), 'claim-malformed'],
    ['jti with a space', withClaims({ jti: 'a b' }), 'claim-malformed'],
    ['jti of 129 characters', withClaims({ jti: 'j'.repeat(129) }), 'claim-malformed'],
    ['no uses', withClaims({ max_uses: 0 }), 'claim-malformed'],
    ['fewer than no uses', withClaims({ max_uses: -1 }), 'claim-malformed'],
    ['half a use', withClaims({ max_uses: 1.5 }), 'claim-malformed'],
    ['uses as text', withClaims({ max_uses: '5' }), 'claim-malformed'],
    ['an empty pattern', withClaims({ id_pattern: '' }), 'claim-malformed'],
    ['a pattern that is a list', withClaims({ id_pattern: ['*'] }), 'claim-malformed'],
    ['a recipe that is a path', withClaims({ recipe: '../secret' }), 'claim-malformed'],
    ['a url that is no URL', withClaims({ url: 'register' }), 'claim-malformed'],
    ['a url that is a file', withClaims({ url: 'file:///etc/passwd' }), 'claim-malformed'],
    ['a url that is a program', withClaims({ url: 'javascript:alert(1)' }), 'claim-malformed'],
    ['a broker that speaks HTTP', withClaims({ broker: 'https://broker.example' }), 'claim-malformed'],
    ['tags that are text', withClaims({ tags: 'a=b' }), 'claim-malformed'],
    ['a tag that is a number', withClaims({ tags: { a: 1 } }), 'claim-malformed'],
    ['ek false', withClaims({ ek: false }), 'claim-malformed'],
    ['ek that is no Name', withClaims({ ek: ['00'] }), 'claim-malformed'],
  ])('%s', async (_name, token, expected) => {
    expect(await verdict(token)).toBe(expected);
  });
});
