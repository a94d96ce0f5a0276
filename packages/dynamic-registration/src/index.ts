/**
 * Dynamic registration: devices with identical firmware register themselves with a signed token and get credentials
 * that work on a broker. Each part has a subpath of its own, so that a device loads no server: `./tokens`, `./store`,
 * `./server`, `./client`. This entry holds the tokens.
 *
 * @example
 * ```js
 * import { inspectToken } from '@endorse/dynamic-registration';
 *
 * export function whereToRegister(token) {
 *   return inspectToken(token).claims.url;
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { InspectedToken, TokenClaims } from './tokens/index.ts';
export { inspectToken, mintToken, verifyToken } from './tokens/index.ts';
