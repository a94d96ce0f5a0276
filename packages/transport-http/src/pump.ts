/**
 * HTTPS for code that lives in a loop: the pump port of `@endorse/interface`, as `@endorse/provisioning-client` takes it.
 * The network works by itself, as everywhere in Node.js, but nobody is told anything outside `doWork()`.
 *
 * @example
 * ```js
 * import { createHttpPump } from '@endorse/transport-http/pump';
 *
 * export function ask(host, onReply) {
 *   const pump = createHttpPump({ headersTimeoutMs: 30_000 })({ host });
 *   const request = { method: 'GET', target: '/', headers: { accept: 'application/json' } };
 *   pump.open((opened) => (opened.ok ? pump.send(request, onReply) : onReply(opened)));
 *   return pump; // whose doWork() the caller's loop calls, and in the end close()
 * }
 * ```
 *
 * @packageDocumentation
 */
export { createHttpPump } from './pump/http-pump.ts';
export type { HttpPumpOptions } from './pump/pump-options.ts';
