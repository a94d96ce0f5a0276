/**
 * What the transports share: how a session reaches the service. Options with their checks, proxies, client
 * certificates, and errors that say whether name lookup, TCP, the proxy or TLS failed.
 *
 * Loads no networking; `./connector` opens TLS connections, `./web-socket` puts a WebSocket on one.
 *
 * @example
 * ```js
 * import { checkConnectionOptions, createSocketSet } from '@endorse/transport-socket';
 * import { createConnector } from '@endorse/transport-socket/connector';
 *
 * export async function open(host, options) {
 *   const { ca, proxyCa, proxyFor } = checkConnectionOptions(options);
 *   const port = 8883;
 *   const settings = { host, port, proxy: proxyFor(host, port), ca, proxyCa, clientCertificate: undefined };
 *   const sockets = createSocketSet();
 *   const timer = setTimeout(() => sockets.destroy(), 20_000);
 *   try {
 *     return await createConnector(settings).open(sockets.add);
 *   } finally {
 *     clearTimeout(timer);
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { WaitBounds, WaitOutcome } from './bounded-wait.ts';
export { waitFor } from './bounded-wait.ts';
export { checkClientCertificate } from './client-certificate.ts';
export { connectError, isTlsAlert, openError, tlsError } from './connect-errors.ts';
export type { ConnectionOptions, ConnectionSettings } from './connection-options.ts';
export { checkConnectionOptions, connectionOptionNames } from './connection-options.ts';
export { checkInteger, checkOptionNames, checkPrintable, checkTimeout } from './option-checks.ts';
export type { ProxyRule, ProxySettings } from './proxy-settings.ts';
export { proxyFromEnvironment } from './proxy-settings.ts';
export type { SessionTarget } from './session-target.ts';
export {
  checkRequestOptions,
  checkTarget,
  checkToken,
  requireSame,
  sessionClosed,
} from './session-target.ts';
export type { SocketSet } from './socket-set.ts';
export { createSocketSet } from './socket-set.ts';
export type { StreamSource, StreamSourceOptions } from './stream-source.ts';
export { createStreamSource } from './stream-source.ts';
