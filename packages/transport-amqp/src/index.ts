/**
 * AMQP transport for the Device Provisioning Service, on rhea: SASL with the TPM's own mechanism, registration and
 * status polling over one connection, on TLS or on a WebSocket, directly or through a proxy. rhea is loaded at the
 * first request.
 *
 * @example
 * ```js
 * import { createAmqpTransport } from '@endorse/transport-amqp';
 *
 * export async function poll({ provisioningHost, idScope, registrationId, operationId, sasToken }) {
 *   const transport = createAmqpTransport({ webSocket: true, connectTimeoutMs: 10_000 });
 *   const target = { provisioningHost, idScope, registrationId };
 *   const session = transport.openSession(target, { kind: 'symmetric-key' });
 *   try {
 *     const request = { sasToken, registrationId, operationId };
 *     return await session.queryOperationStatus(request, { signal: AbortSignal.timeout(30_000) });
 *   } finally {
 *     await session.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { AmqpTransportOptions } from './options.ts';
export { createAmqpTransport } from './transport.ts';
