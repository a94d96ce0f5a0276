/**
 * The registrar: one `(Request) => Promise<Response>` handler that registers devices, a TLS server for it with a CA
 * of its own making, and what lets registered devices into an MQTT broker.
 *
 * @example
 * ```js
 * import { createRegistrationHandler, issueServerCertificate, startRegistrar } from '@endorse/dynamic-registration/server';
 *
 * export async function serve(store, keys) {
 *   const handler = createRegistrationHandler({
 *     store,
 *     keys,
 *     audience: ['https://register.example.com/api/register-device'],
 *   });
 *   const certificate = await issueServerCertificate('./registrar', ['register.example.com'], Date.now());
 *   return startRegistrar({ handler, certificate, bind: '0.0.0.0', port: 8443 });
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { IssuedServerCertificate, ServerCertificate } from './authority.ts';
export { issueServerCertificate } from './authority.ts';
export type {
  AedesAuthenticator,
  AedesAuthenticatorOptions,
  AedesHandlers,
  BrokerClient,
} from './aedes-authenticator.ts';
export { createAedesAuthenticator } from './aedes-authenticator.ts';
export type { RegistrationHandler, RequestContext } from './handler.ts';
export { createRegistrationHandler } from './handler.ts';
export type { IdNormalizer } from './manufacturer-id.ts';
export type { RegistrarMetrics } from './metrics.ts';
export { createMetrics } from './metrics.ts';
export type { MosquittoConnection, MosquittoDirectory } from './mosquitto.ts';
export { BrokerError, createMosquittoDirectory } from './mosquitto.ts';
export { createNodeListener } from './node-adapter.ts';
export type {
  RateLimits,
  RegistrationAttempt,
  RegistrationDecision,
  RegistrationHandlerOptions,
} from './options.ts';
export type { RateLimit } from './rate-limiter.ts';
export type { DeviceAttribute, DeviceRecipe } from './recipes.ts';
export { generatorRecipe } from './recipes.ts';
export type { RegistrarErrorCode } from './registrar-error.ts';
export { RegistrarError } from './registrar-error.ts';
export type { Registrar, RegistrarOptions } from './registrar.ts';
export { startRegistrar } from './registrar.ts';
export type { TopicRules } from './topics.ts';
export { seedTopics } from './topics.ts';
