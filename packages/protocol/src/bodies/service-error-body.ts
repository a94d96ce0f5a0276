import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { JsonObjectReader, definedFields, withExtra } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxResponseBytes } from '../limits.ts';

/** The body of an error answer: `ProvisioningServiceErrorDetails`. */
export interface ServiceErrorBody {
  /** HTTP status times 1000 plus a detail, for example 401002. */
  readonly errorCode?: number;
  /** The same GUID as the header `x-ms-request-id`. */
  readonly trackingId?: string;
  /** Text for people. */
  readonly message?: string;
  /** More about the error, by name. */
  readonly info?: Readonly<Record<string, string>>;
  /** When it happened, with seven fractional digits. */
  readonly timestampUtc?: string;
  /** Fields this version does not know. */
  readonly extra?: JsonObject;
}

/** Writes an error body. Throws `ERR_OUT_OF_RANGE` for an error code that has no HTTP status in it. */
export function encodeServiceErrorBody(body: ServiceErrorBody): string {
  const { errorCode, trackingId, message, info, timestampUtc, extra } = body;
  if (
    errorCode !== undefined &&
    !(Number.isInteger(errorCode) && errorCode >= 100_000 && errorCode <= 599_999)
  ) {
    throw new InvalidArgumentError('body.errorCode', 'must be 100000 to 599999', 'ERR_OUT_OF_RANGE');
  }
  const json = withExtra({ errorCode, trackingId, message, info, timestampUtc }, extra);
  return formatJson('service error', json, maxResponseBytes);
}

/**
 * Reads an error body. Fields of the wrong type are an error here; {@link toServiceError} shows how to
 * live with them. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`.
 */
export function decodeServiceErrorBody(input: JsonInput, options: JsonDecodeOptions = {}): ServiceErrorBody {
  const reader = JsonObjectReader.parse('service error', input, options.maxBytes ?? maxResponseBytes);
  const info = reader.optionalReader('info');
  return definedFields({
    errorCode: reader.optionalInteger('errorCode'),
    trackingId: reader.optionalString('trackingId', 256),
    message: reader.optionalString('message', 65_536),
    info: info && readInfo(info),
    timestampUtc: reader.optionalString('timestampUtc', 64),
    extra: reader.rest(),
  });
}

function readInfo(reader: JsonObjectReader): Readonly<Record<string, string>> {
  const names = Object.keys(reader.rest() ?? {}).slice(0, 64);
  const entries = names.map((name) => [name, reader.optionalString(name, 65_536)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
