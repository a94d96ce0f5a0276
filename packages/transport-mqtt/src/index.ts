/**
 * MQTT transport for the Device Provisioning Service, on mqtt.js: registration and status polling over one connection,
 * on TLS or on a WebSocket, directly or through a proxy. mqtt.js is loaded at the first request.
 *
 * It carries symmetric keys and certificates. TPM attestation is refused before any IO, because the service does not
 * offer it over MQTT.
 *
 * @example
 * ```js
 * import { createMqttTransport } from '@endorse/transport-mqtt';
 *
 * export async function poll({ provisioningHost, idScope, registrationId, operationId, sasToken }) {
 *   const transport = createMqttTransport({ webSocket: true, connectTimeoutMs: 10_000 });
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
export type { MqttTransportOptions } from './options.ts';
export { createMqttTransport } from './transport.ts';
