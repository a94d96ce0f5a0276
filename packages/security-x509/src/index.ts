/**
 * An identity that is a certificate and its private key, from PEM or PKCS#12. Key, dates,
 * common name and chain are checked here, so that a mistake is named before a handshake
 * fails without a reason.
 *
 * @example
 * ```js
 * import { loadX509SecurityClient } from '@endorse/security-x509';
 *
 * export async function describeDevice(certificateFile, privateKeyFile) {
 *   const signal = AbortSignal.timeout(5_000);
 *   const client = await loadX509SecurityClient({ certificateFile, privateKeyFile, signal });
 *   try {
 *     return await client.getRegistrationId({ signal });
 *   } finally {
 *     await client.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export { maxCertificates } from './chain.ts';
export type { X509SecurityClientHandle, X509SecurityClientOptions } from './client.ts';
export { createX509SecurityClient } from './client.ts';
export { maxCommonNameLength } from './common-name.ts';
export type { X509IdentityErrorCode } from './errors.ts';
export { X509IdentityError } from './errors.ts';
export type {
  LoadX509SecurityClientOptions,
  PemFilesOptions,
  Pkcs12FileOptions,
  X509FileOptions,
} from './load.ts';
export { loadX509SecurityClient } from './load.ts';
