import type {
  Clock,
  JsonValue,
  Logger,
  ProgressListener,
  RandomSource,
  SecurityClient,
  Transport,
} from '@endorse/interface';
import {
  InvalidArgumentError,
  UnsupportedCapabilityError,
  attestationKinds,
  silentLogger,
} from '@endorse/interface';
import type { SasResourceEncoding } from '@endorse/protocol';
import { parseHostPort, validateIdScope, validateOperationId } from '@endorse/protocol';
import type { RetryPolicy } from './machine/retry-policy.ts';
import { createRetryPolicy } from './machine/retry-policy.ts';
import { systemPorts } from './system-ports.ts';

/** Where to register, over what, as whom. */
export interface RegistrationParts {
  /** Host of the service, optionally with a port; usually `global.azure-devices-provisioning.net`. */
  readonly provisioningHost: string;
  /** ID scope of the service instance, 1 to 64 letters and digits. */
  readonly idScope: string;
  /** The carrier; may be shared between registrations. */
  readonly transport: Transport;
  /** The identity. Its kind must be among the transport's `capabilities.attestations`. */
  readonly securityClient: SecurityClient;
}

/** How to register; everything has a default. */
export interface RegistrationOptions {
  /** JSON for a custom allocation function; default none. */
  readonly payload?: JsonValue | undefined;
  /** Asks the service to register anew even if the device is assigned; default false. */
  readonly forceRegistration?: boolean | undefined;
  /** Aborts the registration; it then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Longest duration of the whole registration; default 300,000 ms, 1 to 86,400,000. */
  readonly deadlineMs?: number | undefined;
  /** Longest duration of one request to the service; default 30,000 ms, 1 to 3,600,000. A request that takes longer is repeated. */
  readonly stepTimeoutMs?: number | undefined;
  /**
   * Longest duration of one visit to the security client; default 120,000 ms, 1 to 3,600,000. The first start of a
   * hardware TPM creates its keys, which can take more than a minute.
   */
  readonly securityTimeoutMs?: number | undefined;
  /** Bounds of retries, polling and pauses; what is left out has the defaults of `defaultRetryPolicy`. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Life of a SAS token; default 3,600,000 ms (one hour), 10,000 to 86,400,000. A token issuer chooses itself. */
  readonly sasLifetimeMs?: number | undefined;
  /** How the resource is written in a SAS token: percent-encoded (default), or raw as some older clients do. */
  readonly sasResourceEncoding?: SasResourceEncoding | undefined;
  /** Told about every step. */
  readonly onProgress?: ProgressListener | undefined;
  /** Operation to ask about instead of registering, from an earlier `operation-polled` progress report. */
  readonly resume?: { readonly operationId: string } | undefined;
  /** Time; default the system clock. */
  readonly clock?: Clock | undefined;
  /** Randomness for the jitter of retries; default the system's. */
  readonly random?: RandomSource | undefined;
  /** Receives every progress report and state change; default silent. */
  readonly logger?: Logger | undefined;
}

/** Everything `register()` takes. */
export interface RegisterOptions extends RegistrationParts, RegistrationOptions {}

/** Options with defaults applied and checked; what the driver works from. */
export interface RegistrationPlan extends RegistrationParts {
  readonly payload: JsonValue | undefined;
  readonly forceRegistration: boolean;
  readonly signal: AbortSignal | undefined;
  readonly deadlineMs: number;
  readonly stepTimeoutMs: number;
  readonly securityTimeoutMs: number;
  readonly policy: RetryPolicy;
  readonly sasLifetimeMs: number;
  readonly sasResourceEncoding: SasResourceEncoding;
  readonly onProgress: ProgressListener | undefined;
  readonly operationId: string | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
}

/**
 * Checks options and applies the defaults, before any IO.
 *
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for unusable options and
 * `ERR_UNSUPPORTED_CAPABILITY` when the transport does not carry the identity's kind.
 */
export function planRegistration(options: RegisterOptions): RegistrationPlan {
  checkParts(options);
  const { sasResourceEncoding = 'percent', resume, payload } = options;
  if (sasResourceEncoding !== 'percent' && sasResourceEncoding !== 'raw') {
    throw new InvalidArgumentError('sasResourceEncoding', 'must be percent or raw');
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('signal', 'must be an AbortSignal');
  }
  return {
    provisioningHost: options.provisioningHost,
    idScope: options.idScope,
    transport: options.transport,
    securityClient: options.securityClient,
    payload: checkPayload(payload),
    forceRegistration: options.forceRegistration ?? false,
    signal: options.signal,
    deadlineMs: checkMs('deadlineMs', options.deadlineMs, 300_000, 1, 86_400_000),
    stepTimeoutMs: checkMs('stepTimeoutMs', options.stepTimeoutMs, 30_000, 1, 3_600_000),
    securityTimeoutMs: checkMs('securityTimeoutMs', options.securityTimeoutMs, 120_000, 1, 3_600_000),
    policy: createRetryPolicy(options.retry),
    sasLifetimeMs: checkMs('sasLifetimeMs', options.sasLifetimeMs, 3_600_000, 10_000, 86_400_000),
    sasResourceEncoding,
    onProgress: options.onProgress,
    operationId:
      resume === undefined ? undefined : validateOperationId(resume.operationId, 'resume.operationId'),
    clock: options.clock ?? systemPorts.clock,
    random: options.random ?? systemPorts.random,
    logger: options.logger ?? silentLogger,
  };
}

/**
 * Checks host, scope, transport and identity, before any IO.
 *
 * Throws `ERR_INVALID_ARGUMENT`, or `ERR_UNSUPPORTED_CAPABILITY` when the transport does not carry the identity's kind.
 */
export function checkParts(parts: RegistrationParts): void {
  if (typeof parts !== 'object' || parts === null)
    throw new InvalidArgumentError('options', 'must be an object');
  const { provisioningHost, idScope, transport, securityClient } = parts;
  parseHostPort(provisioningHost, { argument: 'provisioningHost' });
  validateIdScope(idScope);
  if (typeof transport?.openSession !== 'function' || transport.specificationVersion !== 'v1') {
    throw new InvalidArgumentError('transport', 'must be a Transport with specificationVersion v1');
  }
  if (securityClient?.specificationVersion !== 'v1' || !attestationKinds.includes(securityClient.kind)) {
    throw new InvalidArgumentError('securityClient', 'must be a SecurityClient with specificationVersion v1');
  }
  checkCapability(transport, securityClient.kind);
}

function checkCapability({ capabilities }: Transport, kind: SecurityClient['kind']): void {
  const carried = capabilities.attestations.includes(kind);
  if (carried && !(kind === 'tpm' && capabilities.challenge === 'none')) return;
  const why = capabilities.refusals[kind] ?? 'its manifest does not list it';
  throw new UnsupportedCapabilityError(`cannot register with ${kind} over ${capabilities.carrier}: ${why}`, {
    required: kind,
    available: capabilities.attestations,
  });
}

/** Returns a payload unchanged. Throws `ERR_INVALID_ARGUMENT` unless it is JSON. The service limits a message to 96 KB; the codec of the carrier checks the exact size. */
export function checkPayload(payload: JsonValue | undefined): JsonValue | undefined {
  if (payload === undefined) return undefined;
  try {
    const text: unknown = JSON.stringify(payload);
    if (typeof text === 'string') return payload;
  } catch (error) {
    throw new InvalidArgumentError(
      'payload',
      `must be JSON: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
  throw new InvalidArgumentError('payload', 'must be JSON');
}

function checkMs(
  name: string,
  given: number | undefined,
  fallback: number,
  low: number,
  high: number,
): number {
  const value = given ?? fallback;
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new InvalidArgumentError(
    name,
    `must be whole milliseconds from ${low.toLocaleString('en')} to ${high.toLocaleString('en')}`,
    'ERR_OUT_OF_RANGE',
  );
}
