import type { JsonValue } from '@endorse/interface';
import { formatJson, parseJsonText, type JsonInput } from '../json/json-text.ts';

/** Largest payload of a direct method and of its answer, in bytes: the hub's own limit. */
const maxMethodPayloadBytes = 131_072;

/** Writes the payload of a direct method or of its answer. Throws `ERR_LOCAL_UNENCODABLE` when it is no JSON or above 128 KiB. */
export function encodeMethodPayload(payload: JsonValue): string {
  return formatJson('method payload', payload, maxMethodPayloadBytes);
}

/** Reads the payload of a direct method or of its answer; an empty one is null. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeMethodPayload(input: JsonInput): JsonValue {
  return input.length === 0 ? null : parseJsonText('method payload', input, maxMethodPayloadBytes);
}
