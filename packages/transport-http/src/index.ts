/**
 * HTTPS transport for the Device Provisioning Service, on undici: the TPM challenge, registration and status polling
 * over one kept-alive connection, directly or through a proxy. undici is loaded at the first request.
 *
 * @example
 * ```js
 * import { createHttpTransport } from '@endorse/transport-http';
 *
 * export async function poll({ provisioningHost, idScope, registrationId, operationId, sasToken }) {
 *   const transport = createHttpTransport({ connectTimeoutMs: 10_000 });
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
export type {
  HttpDispatchController,
  HttpDispatchHandler,
  HttpDispatchOptions,
  HttpDispatcher,
  OwnedHttpDispatcher,
} from './dispatcher.ts';
export type { HttpDispatcherFactory, HttpTransportOptions } from './options.ts';
export { createHttpTransport } from './transport.ts';
