import type { JsonObject } from '@endorse/interface';
import { formatJson, parseJsonObject, type JsonInput } from '../json/json-text.ts';
import { malformed } from '../json/malformed.ts';

/** One side of a twin's properties, with its version. */
export interface TwinProperties {
  readonly properties: JsonObject;
  /** Counts the changes of this side. */
  readonly version: number;
}

/** A twin as its device sees it. */
export interface DeviceTwinBody {
  readonly desired: TwinProperties;
  readonly reported: TwinProperties;
}

/** Writes the answer to a twin request. Throws `ERR_LOCAL_UNENCODABLE`. */
export function encodeTwinBody({ desired, reported }: DeviceTwinBody): string {
  return formatJson('twin', { desired: withVersion(desired), reported: withVersion(reported) });
}

/** Reads the answer to a twin request. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeTwinBody(input: JsonInput): DeviceTwinBody {
  const body = parseJsonObject('twin', input);
  return { desired: readSide(body, 'desired'), reported: readSide(body, 'reported') };
}

/** Writes a change of desired properties. Throws `ERR_LOCAL_UNENCODABLE`. */
export function encodeDesiredPatch(patch: TwinProperties): string {
  return formatJson('desired properties', withVersion(patch));
}

/** Reads a change of desired properties: what is null was removed. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeDesiredPatch(input: JsonInput): TwinProperties {
  return splitVersion(parseJsonObject('desired properties', input), '$');
}

/** Writes a change of reported properties. Throws `ERR_LOCAL_UNENCODABLE`. */
export function encodeReportedPatch(patch: JsonObject): string {
  return formatJson('reported properties', patch);
}

/** Reads a change of reported properties: null removes. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeReportedPatch(input: JsonInput): JsonObject {
  return parseJsonObject('reported properties', input);
}

function withVersion({ properties, version }: TwinProperties): JsonObject {
  return { ...properties, $version: version };
}

function readSide(body: JsonObject, name: 'desired' | 'reported'): TwinProperties {
  const side = body[name];
  if (typeof side !== 'object' || side === null || Array.isArray(side)) {
    throw malformed('twin', `$.${name}`, 'must be an object');
  }
  return splitVersion(side as JsonObject, `$.${name}`);
}

function splitVersion(side: JsonObject, path: string): TwinProperties {
  const { $version: version, $metadata: _metadata, ...properties } = side;
  if (typeof version !== 'number' || !Number.isSafeInteger(version)) {
    throw malformed('twin', `${path}.$version`, 'must be a whole number');
  }
  return { properties, version };
}
