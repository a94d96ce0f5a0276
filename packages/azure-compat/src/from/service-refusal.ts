import { ServiceError } from '@endorse/interface';
import { amqpErrorToServiceError, toServiceError } from '@endorse/protocol';

/** HTTP statuses behind the SDK's error classes. Names, not classes: several copies of the SDK may be loaded. */
const statusByName: Readonly<Record<string, number>> = {
  ArgumentError: 400,
  UnauthorizedError: 401,
  TooManyDevicesError: 403,
  DeviceNotFoundError: 404,
  IotHubNotFoundError: 404,
  DeviceTimeoutError: 408,
  DeviceAlreadyExistsError: 409,
  InvalidEtagError: 412,
  ThrottlingError: 429,
  IotHubQuotaExceededError: 429,
  InternalServerError: 500,
  BadDeviceResponseError: 502,
  ServiceUnavailableError: 503,
  GatewayTimeoutError: 504,
};

/** What the codes mean with which an MQTT server refuses a connection. MQTT 3.1.1 section 3.2.2.3. */
const statusByMqttCode: Readonly<Record<number, number>> = { 2: 400, 3: 503, 4: 401, 5: 401 };

/**
 * The service's own refusal inside what an official transport failed with, as our transports would have told it;
 * undefined when it is something else. Their errors show it in four ways: the HTTP response, a class of error, a number of
 * MQTT, and what rhea passes on when a message is rejected, which is no error at all.
 */
export function readServiceRefusal(
  attempted: string,
  cause: unknown,
  nowMs: number,
): ServiceError | undefined {
  const refusal = decode(attempted, cause, nowMs);
  if (refusal === undefined) return undefined;
  return new ServiceError(refusal.message, refusal, { cause, remedy: refusal.remedy });
}

function decode(attempted: string, cause: unknown, nowMs: number): ServiceError | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const fields: ErrorFields = cause;
  if (typeof fields.condition === 'string' && !(cause instanceof Error)) {
    const description = typeof fields.description === 'string' ? fields.description : '';
    return amqpErrorToServiceError({ condition: fields.condition, description }, { attempted, nowMs });
  }
  const status = statusOf(fields);
  if (status === undefined) return undefined;
  return toServiceError(
    { status, headers: readHeaders(fields.response), body: readBody(fields) },
    { attempted, nowMs },
  );
}

/** What the SDK hangs on its errors, none of it certain. */
interface ErrorFields {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly condition?: unknown;
  readonly description?: unknown;
  /** The response of HTTP; another thing on other carriers. */
  readonly response?: unknown;
  /** The body of an HTTP response, as text. */
  readonly responseBody?: unknown;
  /** The body of another answer, parsed. */
  readonly result?: unknown;
}

function statusOf({ response, name, code }: ErrorFields): number | undefined {
  const { statusCode } = (response ?? {}) as { readonly statusCode?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 599) return statusCode;
  if (typeof name === 'string' && Object.hasOwn(statusByName, name)) return statusByName[name];
  return typeof code === 'number' ? statusByMqttCode[code] : undefined;
}

function readHeaders(response: unknown): Readonly<Record<string, string>> {
  const { headers } = (response ?? {}) as { readonly headers?: unknown };
  if (typeof headers !== 'object' || headers === null) return {};
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function readBody({ responseBody, result }: ErrorFields): Uint8Array {
  const text = typeof responseBody === 'string' ? responseBody : (JSON.stringify(result) ?? '');
  return new TextEncoder().encode(text);
}
