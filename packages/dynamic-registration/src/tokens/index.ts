/**
 * Registration tokens: JWTs with which devices that share one firmware register themselves. They are minted, inspected
 * and verified here, with HS256, ES256 or EdDSA, keys that rotate by `kid`, and a strict reading of what arrives.
 *
 * @example
 * ```js
 * import { generateKeyPairSync } from 'node:crypto';
 * import { systemRandom } from '@endorse/interface/node';
 * import { createAsymmetricTokenKey, mintToken, verifyToken } from '@endorse/dynamic-registration/tokens';
 *
 * const { privateKey } = generateKeyPairSync('ed25519');
 * const key = createAsymmetricTokenKey({ issuer: 'example.com', keyId: '2026-a', key: privateKey });
 * const url = 'https://register.example.com/api/register-device';
 * const { token } = await mintToken({
 *   key,
 *   url,
 *   expiresInMs: 90 * 86_400_000,
 *   maxUses: 500,
 *   now: Date.now(),
 *   random: systemRandom,
 * });
 * const { claims } = await verifyToken(token.revealText(), { keys: [key], audience: [url], now: Date.now() });
 * console.log(claims.maxUses);
 * ```
 *
 * @packageDocumentation
 */
export type { TokenClaims } from './claims.ts';
export type { CompactToken } from './compact.ts';
export { decodeCompact, maxTokenBytes } from './compact.ts';
export { matchesIdPattern } from './id-pattern.ts';
export type { InspectedToken } from './inspect.ts';
export { inspectToken } from './inspect.ts';
export { publicJwks, tokenKeyFromJwk, tokenKeysFromJwks } from './jwks.ts';
export type { MintTokenOptions, MintedToken } from './mint.ts';
export { mintToken } from './mint.ts';
export type { TokenKeyProblem, TokenRefusal } from './refusal.ts';
export { TokenKeyError, TokenRefusedError } from './refusal.ts';
export type { TokenAlgorithm, TokenKey, TokenKeyOptions } from './token-key.ts';
export { checkKeySet, createAsymmetricTokenKey, createSecretTokenKey, minSecretBytes } from './token-key.ts';
export { referenceOfTokenId } from './token-reference.ts';
export type { TokenWeakness, VerifiedToken, VerifyTokenOptions } from './verify.ts';
export { tokenType, verifyToken } from './verify.ts';
