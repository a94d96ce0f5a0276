/** Every decoder of `@endorse/dynamic-registration` that takes tokens and keys. */
import { createHmac } from 'node:crypto';
import { Secret, isEndorseError } from '@endorse/interface';
import {
  createSecretTokenKey,
  decodeCompact,
  inspectToken,
  matchesIdPattern,
  tokenKeyFromJwk,
  tokenKeysFromJwks,
  tokenType,
  verifyToken,
} from '@endorse/dynamic-registration/tokens';
import { mutatedJson, mutatedText } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import type { DecoderTarget } from './decoder.ts';
import { asyncDecoder, decoder } from './decoder.ts';

const secret = Buffer.alloc(32, 7);
const issuer = 'example.com';
const audience = 'https://register.example.com/api/register-device';
const now = 1_767_323_045_000;
const key = createSecretTokenKey({ issuer, keyId: 'hs', secret: Secret.fromBytes(secret) });

const header = JSON.stringify({ alg: 'HS256', typ: tokenType, kid: 'hs' });
const payload = JSON.stringify({
  iss: issuer,
  aud: [audience],
  url: audience,
  iat: now / 1_000,
  nbf: now / 1_000,
  exp: now / 1_000 + 3_600,
  jti: 'token-1',
  max_uses: 5,
  id_pattern: 'TB*-##?',
  recipe: 'tl-generator',
  tags: { site: 'a' },
  broker: 'mqtts://broker.example.com',
  ek: true,
});

/** Signs with node:crypto whatever header and payload are. */
function forge(headerText: string | Uint8Array, payloadText: string | Uint8Array): string {
  const input = [headerText, payloadText].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const forged = fc.tuple(mutatedJson([header]), mutatedJson([payload])).map((parts) => forge(...parts));
const wellHeaded = mutatedJson([payload]).map((text) => forge(header, text));
const tokens = fc.oneof(mutatedText([forge(header, payload)]), forged, wellHeaded, fc.anything());

const p256 = {
  kty: 'EC',
  crv: 'P-256',
  kid: 'es',
  use: 'sig',
  alg: 'ES256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};
const ed25519 = { kty: 'OKP', crv: 'Ed25519', kid: 'ed', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const shared = { kty: 'oct', kid: 'hs', k: secret.toString('base64url'), key_ops: ['verify'] };
const keys = [p256, ed25519, shared];

const jwkTexts = keys.map((each) => JSON.stringify(each));
const parse = (text: string | Uint8Array): unknown => JSON.parse(Buffer.from(text).toString('utf8'));

// What is no JSON at all is nothing for this decoder, which takes values.
const isKeyProblem = (error: unknown): boolean =>
  error instanceof SyntaxError || (isEndorseError(error) && error.code === 'ERR_TOKEN_KEY');
const isTokenRefused = (error: unknown): boolean =>
  isEndorseError(error) && error.code === 'ERR_TOKEN_REFUSED';

/** How long ids and patterns are, at most; what matching takes is the product. */
const maxIdLength = 512;

/** Every target of the subpath `./tokens`. */
export const tokenDecoders: readonly DecoderTarget[] = [
  decoder('dynamic-registration decodeCompact', {
    inputs: tokens,
    decode: decodeCompact,
    refuses: isTokenRefused,
  }),
  decoder('dynamic-registration inspectToken', {
    inputs: tokens,
    decode: inspectToken,
    refuses: isTokenRefused,
  }),
  asyncDecoder('dynamic-registration verifyToken', {
    inputs: fc.tuple(tokens, fc.boolean()),
    decode: ([token, compatible]) =>
      verifyToken(token, { keys: [key], audience: [audience], now, compatible }),
    refuses: isTokenRefused,
  }),
  decoder('dynamic-registration matchesIdPattern', {
    inputs: fc.tuple(
      mutatedText(['TB*-##?', '*a*b*c*', 'TBBAA1234501']).map((text) => text.slice(0, maxIdLength)),
      mutatedText(['TBBAA-12x', 'aaaaaaaaab', 'TBBAA1234501']).map((text) => text.slice(0, maxIdLength)),
    ),
    decode: ([pattern, manufacturerId]) => matchesIdPattern(pattern, manufacturerId),
  }),
  decoder('dynamic-registration tokenKeyFromJwk', {
    inputs: mutatedJson(jwkTexts),
    decode: (text) => tokenKeyFromJwk(parse(text), { issuer }).algorithm,
    refuses: isKeyProblem,
  }),
  decoder('dynamic-registration tokenKeysFromJwks', {
    inputs: mutatedJson([JSON.stringify({ keys })]),
    decode: (text) => tokenKeysFromJwks(parse(text), { issuer }).map(({ algorithm }) => algorithm),
    refuses: isKeyProblem,
  }),
];
