/**
 * Errors on AMQP: a condition, a text that holds the service's JSON error body, and an info map with the pause.
 */
import { ServiceError } from '@endorse/interface';
import type { ServiceErrorBody } from '../bodies/service-error-body.ts';
import { decodeServiceErrorBody } from '../bodies/service-error-body.ts';
import { serviceErrorRemedy } from '../http/service-error.ts';
import { printable } from '../json/printable.ts';
import { readRetryAfter } from './amqp-reply.ts';

/** An AMQP error. AMQP 1.0 part 2.8.14. */
export interface AmqpError {
  readonly condition: string;
  readonly description?: string;
  readonly info?: Readonly<Record<string, unknown>>;
}

/** What a client makes an error from. */
export interface AmqpErrorOptions {
  /** The time now, in milliseconds since 1970; to read a date as pause. */
  readonly nowMs: number;
  /** What was being attempted, for messages. */
  readonly attempted: string;
}

/** The condition that the service uses for an HTTP-like status. */
export function conditionOfStatus(status: number): string {
  const [condition] = [...statusByCondition].find(([, each]) => each === status) ?? [];
  return condition ?? (status >= 500 ? 'amqp:internal-error' : 'amqp:not-allowed');
}

/**
 * Makes the {@link ServiceError} of an AMQP error. Never throws. Its status is the service's code divided by 1000, else
 * what the condition stands for, else 0.
 */
export function amqpErrorToServiceError(error: AmqpError, options: AmqpErrorOptions): ServiceError {
  const body = tryDecode(error.description);
  const serviceCode = body.errorCode;
  const status = statusOfCode(serviceCode) ?? statusByCondition.get(error.condition) ?? 0;
  const text = printable(body.message ?? error.description ?? '');
  const code = serviceCode === undefined ? '' : ` (code ${serviceCode})`;
  const condition = printable(error.condition).slice(0, 100);
  return new ServiceError(
    `${options.attempted}: the service answered ${condition}${code}${text === '' ? '' : `: ${text}`}`,
    {
      status,
      serviceCode,
      trackingId: body.trackingId,
      retryAfterMs: readRetryAfter(error.info ?? {}, options.nowMs),
    },
    { remedy: serviceErrorRemedy(status, serviceCode) },
  );
}

/** Makes the {@link ServiceError} of a SASL outcome other than 0. AMQP 1.0 part 5.3.3.6. */
export function saslOutcomeToServiceError(code: number, attempted: string): ServiceError {
  const { status, text } = outcomes[code] ?? { status: 401, text: `an outcome that does not exist, ${code}` };
  return new ServiceError(
    `${attempted}: the service refused to authenticate the device: ${text}`,
    { status },
    { remedy: serviceErrorRemedy(status) },
  );
}

/** Outcome codes of SASL. */
export const saslOutcomeCodes = {
  ok: 0,
  auth: 1,
  system: 2,
  systemPermanent: 3,
  systemTemporary: 4,
} as const;

/** The first condition of a status is the one that is written. */
const statusByCondition: ReadonlyMap<string, number> = new Map([
  ['com.microsoft:argument-error', 400],
  ['amqp:invalid-field', 400],
  ['amqp:decode-error', 400],
  ['amqp:unauthorized-access', 401],
  ['amqp:not-found', 404],
  ['amqp:not-allowed', 405],
  ['com.microsoft:timeout', 408],
  ['amqp:resource-locked', 409],
  ['amqp:precondition-failed', 412],
  ['amqp:link:message-size-exceeded', 413],
  ['com.microsoft:device-container-throttled', 429],
  ['amqp:resource-limit-exceeded', 429],
  ['com.microsoft:quota-exceeded', 429],
  ['amqp:internal-error', 500],
  ['amqp:not-implemented', 501],
  ['com.microsoft:server-busy', 503],
  ['amqp:connection:forced', 503],
  ['amqp:link:detach-forced', 503],
]);

const outcomes: Readonly<Record<number, { readonly status: number; readonly text: string }>> = {
  [saslOutcomeCodes.auth]: { status: 401, text: 'its credentials are not good for this' },
  [saslOutcomeCodes.system]: { status: 500, text: 'an error of the service' },
  // 501 is a 5xx after which trying again does not help.
  [saslOutcomeCodes.systemPermanent]: { status: 501, text: 'a permanent error of the service' },
  [saslOutcomeCodes.systemTemporary]: { status: 503, text: 'a temporary error of the service' },
};

function statusOfCode(serviceCode: number | undefined): number | undefined {
  const status = Math.floor((serviceCode ?? 0) / 1000);
  return status >= 400 && status <= 599 ? status : undefined;
}

function tryDecode(description: string | undefined): ServiceErrorBody {
  if (description === undefined) return {};
  try {
    return decodeServiceErrorBody(description);
  } catch {
    return {};
  }
}
