/**
 * The error classes every package shares.
 *
 * Match on `code`, never on `instanceof`: two copies of a package may be loaded.
 * Codes follow semantic versioning, messages do not. Every class says whose
 * fault it is (`fault`) and whether trying again can help (`retryable`).
 */

/** Whose fault an error is: ours or the caller's, the peer's, the service's, the wire's, the TPM's or the clock's. */
export type ErrorFault = 'caller' | 'local' | 'peer' | 'service' | 'transport' | 'tpm' | 'deadline';

/** What every error constructor of Endorse takes beside its message. */
export interface EndorseErrorOptions {
  /** The error this one was made from; kept as `cause`. */
  readonly cause?: unknown;
  /** One imperative sentence that tells an operator what to do next. */
  readonly remedy?: string | undefined;
}

/** Base of every operational error of Endorse. */
export abstract class EndorseError extends Error {
  /** Stable, literal code, for example `ERR_TRANSPORT_CONNECT`. */
  abstract readonly code: string;
  /** Whose fault it is. */
  abstract readonly fault: ErrorFault;
  /** True when the same request may succeed later without any change. */
  abstract readonly retryable: boolean;
  /** What to do next, where we know. */
  readonly remedy: string | undefined;

  constructor(message: string, options: EndorseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.remedy = options.remedy;
  }
}

/** Codes of {@link InvalidArgumentError}. */
export type InvalidArgumentCode = 'ERR_INVALID_ARGUMENT' | 'ERR_OUT_OF_RANGE';

/**
 * The caller passed something unusable; thrown before any IO.
 *
 * A `TypeError` so that generic tooling recognises a programming mistake.
 */
export class InvalidArgumentError extends TypeError {
  /** Always a caller's mistake. */
  readonly fault = 'caller';
  /** Never: the argument has to change. */
  readonly retryable = false;
  /** `ERR_INVALID_ARGUMENT`, or `ERR_OUT_OF_RANGE` for a number or size outside its range. */
  readonly code: InvalidArgumentCode;
  /** Name of the argument, for example `options.deadlineMs`. */
  readonly argument: string;
  /** None: the message says what the argument must be. */
  readonly remedy: string | undefined = undefined;

  constructor(argument: string, problem: string, code: InvalidArgumentCode = 'ERR_INVALID_ARGUMENT') {
    super(`${argument} ${problem}`);
    this.name = 'InvalidArgumentError';
    this.code = code;
    this.argument = argument;
  }
}

/** Codes of {@link LocalProtocolError}. */
export type LocalProtocolCode = 'ERR_LOCAL_STATE' | 'ERR_LOCAL_UNENCODABLE' | 'ERR_SESSION_CLOSED';

/** We would break the protocol: an operation in the wrong state, or a value that has no encoding. */
export class LocalProtocolError extends EndorseError {
  readonly fault = 'local';
  readonly retryable = false;
  readonly code: LocalProtocolCode;
  /** State or place in which it was noticed. */
  readonly state: string | undefined;

  constructor(
    code: LocalProtocolCode,
    message: string,
    options: EndorseErrorOptions & { readonly state?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.state = options.state;
  }
}

/** Codes of {@link RemoteProtocolError}. */
export type RemoteProtocolCode =
  | 'ERR_REMOTE_MALFORMED'
  | 'ERR_REMOTE_TOO_LARGE'
  | 'ERR_REMOTE_UNEXPECTED'
  | 'ERR_REMOTE_REDIRECT'
  | 'ERR_REMOTE_CONTENT_TYPE';

/** What the peer sent that was wrong: where, and a short sample. Never a secret. */
export interface ProtocolEvidence {
  /** Path inside the message, for example `$.registrationState.tpm`. */
  readonly path: string;
  /** At most 200 characters of what was found, redacted where it may be secret. */
  readonly sample?: string;
}

/** The peer broke the protocol: unparsable, oversized or unexpected bytes. The only error a decoder throws. */
export class RemoteProtocolError extends EndorseError {
  readonly fault = 'peer';
  readonly retryable: boolean;
  readonly code: RemoteProtocolCode;
  /** Where and what; not enumerable, so that logging the error stays short. */
  declare readonly evidence: ProtocolEvidence | undefined;

  constructor(
    code: RemoteProtocolCode,
    message: string,
    options: EndorseErrorOptions & {
      readonly evidence?: ProtocolEvidence;
      readonly retryable?: boolean;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = options.retryable ?? false;
    Object.defineProperty(this, 'evidence', { value: options.evidence, enumerable: false });
  }
}

/** Codes of {@link ServiceError}, by HTTP-like status. */
export type ServiceErrorCode =
  | 'ERR_SERVICE_BAD_REQUEST'
  | 'ERR_SERVICE_UNAUTHORIZED'
  | 'ERR_SERVICE_FORBIDDEN'
  | 'ERR_SERVICE_NOT_FOUND'
  | 'ERR_SERVICE_CONFLICT'
  | 'ERR_SERVICE_PRECONDITION'
  | 'ERR_SERVICE_THROTTLED'
  | 'ERR_SERVICE_UNAVAILABLE'
  | 'ERR_SERVICE_OTHER';

/** What a {@link ServiceError} carries. */
export interface ServiceErrorDetails {
  /** HTTP status, or the service code divided by 1000 on carriers without one. */
  readonly status: number;
  /** The service's own `errorCode`, for example 401002; absent when the body had none. */
  readonly serviceCode?: number | undefined;
  /** The service's tracking id, to quote to its operator. */
  readonly trackingId?: string | undefined;
  /** Pause the service asked for, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** The service answered with an error. `retryable` for 408, 429 and 5xx other than 501 and 505. */
export class ServiceError extends EndorseError {
  readonly fault = 'service';
  readonly code: ServiceErrorCode;
  readonly retryable: boolean;
  /** HTTP status, or the service code divided by 1000. */
  readonly status: number;
  /** The service's own error code. */
  readonly serviceCode: number | undefined;
  /** The service's tracking id. */
  readonly trackingId: string | undefined;
  /** Pause the service asked for, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: ServiceErrorDetails, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = serviceErrorCode(details.status);
    this.retryable = isRetryableStatus(details.status);
    this.status = details.status;
    this.serviceCode = details.serviceCode;
    this.trackingId = details.trackingId;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Maps an HTTP-like status to the literal code of {@link ServiceError}. */
export function serviceErrorCode(status: number): ServiceErrorCode {
  switch (status) {
    case 400:
      return 'ERR_SERVICE_BAD_REQUEST';
    case 401:
      return 'ERR_SERVICE_UNAUTHORIZED';
    case 403:
      return 'ERR_SERVICE_FORBIDDEN';
    case 404:
      return 'ERR_SERVICE_NOT_FOUND';
    case 409:
      return 'ERR_SERVICE_CONFLICT';
    case 412:
      return 'ERR_SERVICE_PRECONDITION';
    case 429:
      return 'ERR_SERVICE_THROTTLED';
    default:
      return status >= 500 ? 'ERR_SERVICE_UNAVAILABLE' : 'ERR_SERVICE_OTHER';
  }
}

/** True for the closed list of statuses that a later, identical request may survive: 408, 429, 500, 502, 503, 504. */
export function isRetryableStatus(status: number): boolean {
  return [408, 429, 500, 502, 503, 504].includes(status);
}

/** Codes of {@link TransportError}. */
export type TransportErrorCode =
  | 'ERR_TRANSPORT_DNS'
  | 'ERR_TRANSPORT_CONNECT'
  | 'ERR_TRANSPORT_TLS'
  | 'ERR_TRANSPORT_PROXY'
  | 'ERR_TRANSPORT_LOST'
  | 'ERR_TRANSPORT_CLOSED';

/** How far a connection had come when it failed. */
export type TransportPhase = 'resolve' | 'connect' | 'tls' | 'proxy' | 'send' | 'receive' | 'close';

/** DNS, TCP, TLS or proxy trouble, or a connection lost on the way. */
export class TransportError extends EndorseError {
  readonly fault = 'transport';
  readonly code: TransportErrorCode;
  readonly retryable: boolean;
  /** How far the connection had come. */
  readonly phase: TransportPhase;

  constructor(
    code: TransportErrorCode,
    message: string,
    options: EndorseErrorOptions & { readonly phase: TransportPhase; readonly retryable: boolean },
  ) {
    super(message, options);
    this.code = code;
    this.phase = options.phase;
    this.retryable = options.retryable;
  }
}

/** A kind or feature that the given part declares it does not have; thrown before any IO. */
export class UnsupportedCapabilityError extends EndorseError {
  readonly fault = 'caller';
  readonly retryable = false;
  readonly code = 'ERR_UNSUPPORTED_CAPABILITY';
  /** What was asked for, for example `tpm`. */
  readonly required: string;
  /** What there is, from the manifest. */
  readonly available: readonly string[];

  constructor(
    message: string,
    details: { readonly required: string; readonly available: readonly string[] },
    options: EndorseErrorOptions = {},
  ) {
    super(message, options);
    this.required = details.required;
    this.available = Object.freeze([...details.available]);
  }
}

/** Our own deadline passed. Never used for the caller's abort: that rejects with the caller's reason. */
export class TimeoutError extends EndorseError {
  readonly fault = 'deadline';
  readonly retryable: boolean;
  readonly code = 'ERR_TIMEOUT';
  /** The deadline that passed, in milliseconds. */
  readonly deadlineMs: number;
  /** What was going on, for example `awaiting-challenge`. */
  readonly state: string;

  constructor(
    message: string,
    details: { readonly deadlineMs: number; readonly state: string; readonly retryable?: boolean },
    options: EndorseErrorOptions = {},
  ) {
    super(message, options);
    this.deadlineMs = details.deadlineMs;
    this.state = details.state;
    this.retryable = details.retryable ?? false;
  }
}

/** True for any error of Endorse, whichever copy of the package made it: an `Error` with an `ERR_…` code and a `fault`. */
export function isEndorseError(value: unknown): value is EndorseError | InvalidArgumentError {
  return (
    value instanceof Error &&
    typeof (value as { code?: unknown }).code === 'string' &&
    typeof (value as { fault?: unknown }).fault === 'string' &&
    typeof (value as { retryable?: unknown }).retryable === 'boolean'
  );
}
