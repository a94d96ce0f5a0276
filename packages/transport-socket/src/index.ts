/**
 * What the transports share: how a session reaches the service. Options with their checks, proxies, client
 * certificates, one connection and one request at a time, and errors that say whether name lookup, TCP, the proxy or TLS
 * failed.
 *
 * Loads no networking before the first connection; `./connector` opens TLS connections, `./web-socket` puts a WebSocket on one.
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
export type { FailureContext } from './connect-errors.ts';
export { connectError, isTlsAlert, lostError, openError, tlsError } from './connect-errors.ts';
export type { ConnectionOptions, ConnectionSettings } from './connection-options.ts';
export { checkConnectionOptions, connectionOptionNames } from './connection-options.ts';
export type { ConnectionSlot, ConnectionSlotOptions, SlotConnection } from './connection-slot.ts';
export { createConnectionSlot } from './connection-slot.ts';
export type { MessagingOptions, MessagingSettings } from './messaging-options.ts';
export { checkMessagingOptions, messagingOptionNames } from './messaging-options.ts';
export { checkInteger, checkOptionNames, checkPrintable, checkTimeout } from './option-checks.ts';
export type { ProxyRule, ProxySettings } from './proxy-settings.ts';
export { proxyFromEnvironment } from './proxy-settings.ts';
export type { SessionSubject } from './request-checks.ts';
export { checkChallengeRequest, checkRegisterRequest, checkStatusRequest } from './request-checks.ts';
export type { RunningRequest, SessionRequestsParts } from './session-requests.ts';
export { SessionRequests } from './session-requests.ts';
export type { SessionTarget } from './session-target.ts';
export { checkAttestation, checkTarget } from './session-target.ts';
export type { SocketSet } from './socket-set.ts';
export { createSocketSet } from './socket-set.ts';
export type { SocketSource } from './socket-source.ts';
export { createSocketSource } from './socket-source.ts';
