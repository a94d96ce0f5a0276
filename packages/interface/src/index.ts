/**
 * The contracts of Endorse: what a transport, a security client and a clock are,
 * what a registration results in, and every error class the packages share.
 * It holds no implementation, so that any of them can be replaced.
 *
 * @example
 * ```js
 * import { Secret, isEndorseError } from '@endorse/interface';
 *
 * const key = Secret.fromBase64('AAECAwQFBgcICQoLDA0ODw==');
 * console.log(String(key)); // [Secret 16 bytes, sha256 be45cb26…]
 *
 * export async function run(register) {
 *   try {
 *     return await register({ signal: AbortSignal.timeout(60_000) });
 *   } catch (error) {
 *     if (isEndorseError(error)) console.error(error.code, error.retryable);
 *     throw error;
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { AttestationKind, ClientCertificate, SessionAttestation } from './attestation.ts';
export { attestationKinds } from './attestation.ts';
export type {
  EndorseErrorOptions,
  ErrorFault,
  InvalidArgumentCode,
  LocalProtocolCode,
  ProtocolEvidence,
  RemoteProtocolCode,
  ServiceErrorCode,
  ServiceErrorDetails,
  TransportErrorCode,
  TransportPhase,
} from './errors.ts';
export {
  EndorseError,
  InvalidArgumentError,
  LocalProtocolError,
  RemoteProtocolError,
  ServiceError,
  TimeoutError,
  TransportError,
  UnsupportedCapabilityError,
  isEndorseError,
  isRetryableStatus,
  serviceErrorCode,
} from './errors.ts';
export type { Clock, LogLevel, Logger, RandomSource } from './ports.ts';
export { silentLogger } from './ports.ts';
export type { ProgressListener, RegistrationProgress } from './progress.ts';
export type {
  PumpOutcome,
  PumpReply,
  PumpRequest,
  PumpTransport,
  PumpTransportOptions,
  PumpTransportProvider,
} from './pump.ts';
export type {
  JsonObject,
  JsonValue,
  RegistrationOperationStatus,
  RegistrationResult,
  RegistrationState,
  RegistrationStatus,
  RegistrationSubstatus,
  RegistrationTarget,
} from './registration.ts';
export { Secret } from './secret.ts';
export type {
  HubToken,
  HubTokenProvider,
  IssuedSasToken,
  NonceDecryptingSecurityClient,
  SecurityClient,
  SecurityClientOptions,
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  TpmSecurityClient,
  X509SecurityClient,
} from './security-client.ts';
export type {
  AuthenticationChallenge,
  ChallengeRequest,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationInfo,
  RegistrationReply,
  RegistrationSession,
  SessionRequestOptions,
  Transport,
  TransportCapabilities,
} from './transport.ts';
