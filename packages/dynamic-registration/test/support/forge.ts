import { createHmac, createPrivateKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Secret } from '@endorse/interface';
import type { TokenKey, VerifyTokenOptions } from '../../src/tokens/index.ts';
import {
  createAsymmetricTokenKey,
  createSecretTokenKey,
  tokenType,
  verifyToken,
} from '../../src/tokens/index.ts';

/** 2026-01-02T03:04:05Z. */
export const now = 1_767_323_045_000;
export const nowSeconds = now / 1000;
export const issuer = 'example.com';
export const url = 'https://register.example.com/api/register-device';

/** The keys of RFC 7515 A.3 and RFC 8037 A.1: known to everybody, so nothing here is secret. */
export const p256 = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
});
export const ed25519 = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  },
});
export const hmacSecret = Buffer.alloc(32, 7);

export const keys: readonly TokenKey[] = [
  createSecretTokenKey({ issuer, keyId: 'hs', secret: Secret.fromBytes(hmacSecret) }),
  createAsymmetricTokenKey({ issuer, keyId: 'es', key: p256 }),
  createAsymmetricTokenKey({ issuer, keyId: 'ed', key: ed25519 }),
];

export type Json = Readonly<Record<string, unknown>>;

export const goodHeader: Json = { alg: 'HS256', typ: tokenType, kid: 'hs' };
export const goodPayload: Json = {
  iss: issuer,
  aud: url,
  url,
  iat: nowSeconds,
  exp: nowSeconds + 3600,
  jti: 'token-1',
};

/** A segment: an object as JSON, text as it is. */
export function segment(value: Json | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** Signs with node:crypto, not with the library under test. */
export function signWith(key: Buffer | KeyObject, input: string): Buffer {
  if (Buffer.isBuffer(key)) return createHmac('sha256', key).update(input).digest();
  return key.asymmetricKeyType === 'ed25519'
    ? sign(null, Buffer.from(input), key)
    : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}

/** A token whose signature is good, whatever else is not. */
export function forge(
  header: Json | string = goodHeader,
  payload: Json | string = goodPayload,
  key: Buffer | KeyObject = hmacSecret,
): string {
  const input = `${segment(header)}.${segment(payload)}`;
  return `${input}.${signWith(key, input).toString('base64url')}`;
}

/** `accepted`, or the reason of the refusal. Anything but a refusal fails the test. */
export async function verdict(token: unknown, options: Partial<VerifyTokenOptions> = {}): Promise<string> {
  try {
    await verifyToken(token, { keys, audience: [url], now, ...options });
    return 'accepted';
  } catch (error) {
    const { code, reason } = error as { readonly code?: string; readonly reason?: string };
    if (code !== 'ERR_TOKEN_REFUSED' || reason === undefined) throw error;
    return reason;
  }
}
