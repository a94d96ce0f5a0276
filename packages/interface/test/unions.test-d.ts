/**
 * Type tests of the public unions: a member that is added, renamed or lost
 * changes what consumers' `switch` statements have to handle. Compiled only.
 */
import { expectTypeOf } from 'vitest';
import type {
  AttestationKind,
  EndorseError,
  ErrorFault,
  InvalidArgumentCode,
  InvalidArgumentError,
  JsonValue,
  LocalProtocolCode,
  LogLevel,
  PumpOutcome,
  PumpRequest,
  RegistrationProgress,
  RegistrationResult,
  RegistrationStatus,
  RegistrationSubstatus,
  RemoteProtocolCode,
  SecurityClient,
  ServiceErrorCode,
  SessionAttestation,
  TransportCapabilities,
  TransportErrorCode,
  TransportPhase,
} from '../src/index.ts';
import { isEndorseError } from '../src/index.ts';

expectTypeOf<AttestationKind>().toEqualTypeOf<'tpm' | 'symmetric-key' | 'x509'>();
expectTypeOf<SessionAttestation['kind']>().toEqualTypeOf<AttestationKind>();
expectTypeOf<SecurityClient['kind']>().toEqualTypeOf<AttestationKind>();
expectTypeOf<SecurityClient['specificationVersion']>().toEqualTypeOf<'v1'>();
expectTypeOf<ErrorFault>().toEqualTypeOf<
  'caller' | 'local' | 'peer' | 'service' | 'transport' | 'tpm' | 'deadline'
>();
expectTypeOf<InvalidArgumentCode>().toEqualTypeOf<'ERR_INVALID_ARGUMENT' | 'ERR_OUT_OF_RANGE'>();
expectTypeOf<LocalProtocolCode>().toEqualTypeOf<
  'ERR_LOCAL_STATE' | 'ERR_LOCAL_UNENCODABLE' | 'ERR_SESSION_CLOSED'
>();
expectTypeOf<RemoteProtocolCode>().toEqualTypeOf<
  | 'ERR_REMOTE_MALFORMED'
  | 'ERR_REMOTE_TOO_LARGE'
  | 'ERR_REMOTE_UNEXPECTED'
  | 'ERR_REMOTE_REDIRECT'
  | 'ERR_REMOTE_CONTENT_TYPE'
>();
expectTypeOf<ServiceErrorCode>().toEqualTypeOf<
  | 'ERR_SERVICE_BAD_REQUEST'
  | 'ERR_SERVICE_UNAUTHORIZED'
  | 'ERR_SERVICE_FORBIDDEN'
  | 'ERR_SERVICE_NOT_FOUND'
  | 'ERR_SERVICE_CONFLICT'
  | 'ERR_SERVICE_PRECONDITION'
  | 'ERR_SERVICE_THROTTLED'
  | 'ERR_SERVICE_UNAVAILABLE'
  | 'ERR_SERVICE_OTHER'
>();
expectTypeOf<TransportErrorCode>().toEqualTypeOf<
  | 'ERR_TRANSPORT_DNS'
  | 'ERR_TRANSPORT_CONNECT'
  | 'ERR_TRANSPORT_TLS'
  | 'ERR_TRANSPORT_PROXY'
  | 'ERR_TRANSPORT_LOST'
  | 'ERR_TRANSPORT_CLOSED'
>();
expectTypeOf<TransportPhase>().toEqualTypeOf<
  'resolve' | 'connect' | 'tls' | 'proxy' | 'send' | 'receive' | 'close'
>();
expectTypeOf<TransportCapabilities['challenge']>().toEqualTypeOf<'request' | 'handshake' | 'none'>();
expectTypeOf<LogLevel>().toEqualTypeOf<'debug' | 'info' | 'warn' | 'error'>();
expectTypeOf<PumpRequest['method']>().toEqualTypeOf<'GET' | 'POST' | 'PUT'>();
expectTypeOf<RegistrationStatus>().toEqualTypeOf<
  'unassigned' | 'assigning' | 'assigned' | 'failed' | 'disabled'
>();
expectTypeOf<RegistrationResult['status']>().toEqualTypeOf<'assigned'>();
expectTypeOf<RegistrationProgress['event']>().toEqualTypeOf<
  | 'registration-started'
  | 'identity-read'
  | 'challenge-requested'
  | 'challenge-received'
  | 'key-activated'
  | 'token-signed'
  | 'register-sent'
  | 'operation-polled'
  | 'waiting'
  | 'retry-scheduled'
  | 'registration-assigned'
  | 'registration-failed'
>();

// Words the service adds later are passed on, and still complete in an editor.
expectTypeOf<string>().toExtend<RegistrationSubstatus>();
expectTypeOf<'initialAssignment'>().toExtend<RegistrationSubstatus>();

// Each union narrows by its discriminant.
declare const client: SecurityClient;
if (client.kind === 'x509') expectTypeOf(client).toHaveProperty('getCertificate');
if (client.kind === 'tpm') expectTypeOf(client.activateIdentityKey).returns.toEqualTypeOf<Promise<void>>();
// @ts-expect-error -- a software key cannot be activated from a blob
if (client.kind === 'symmetric-key') void client.activateIdentityKey;

declare const attestation: SessionAttestation;
// @ts-expect-error -- only X.509 sessions carry a certificate
if (attestation.kind === 'tpm') void attestation.certificate;

declare const outcome: PumpOutcome<number>;
if (outcome.ok) expectTypeOf(outcome.value).toEqualTypeOf<number>();
else expectTypeOf(outcome.error).toEqualTypeOf<Error>();

declare const progress: RegistrationProgress;
expectTypeOf(progress.at).toEqualTypeOf<number>();
if (progress.event === 'waiting') expectTypeOf(progress.reason).toEqualTypeOf<'assigning' | 'retry'>();

declare const caught: unknown;
if (isEndorseError(caught)) expectTypeOf(caught).toEqualTypeOf<EndorseError | InvalidArgumentError>();

// JSON holds no functions, dates or bytes.
expectTypeOf<{ a: readonly [1, 'x', null, { b: boolean }] }>().toExtend<JsonValue>();
expectTypeOf<Date>().not.toExtend<JsonValue>();
expectTypeOf<() => void>().not.toExtend<JsonValue>();
expectTypeOf<undefined>().not.toExtend<JsonValue>();
