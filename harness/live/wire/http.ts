/** One HTTPS request of a probe, on Node.js alone, and what its answer looks like. */
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { JsonObject, JsonValue } from '@endorse/interface';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { Facts, Names } from '../facts.ts';
import { describeFormat, describeJson, scrubText } from '../facts.ts';

/** A request. */
export interface ProbeRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';
  /** Path and query. */
  readonly target: string;
  readonly authorization?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; a string is sent as it is. */
  readonly body?: JsonValue;
}

/** An answer. */
export interface ProbeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Its body, if that is a JSON object. */
  readonly json: JsonObject | undefined;
}

const timeoutMs = 30_000;

/** Sends a request to the device API, or to another endpoint, on a connection of its own. */
export async function exchange(
  service: ServiceUnderTest,
  { method, target, authorization, headers, body }: ProbeRequest,
  endpoint: string = service.endpoints.http,
): Promise<ProbeAnswer> {
  const outgoing = request(new URL(target, endpoint), {
    method,
    ca: service.caPem,
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
      ...(authorization === undefined ? {} : { authorization }),
      ...headers,
    },
  });
  outgoing.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const received = await text(incoming);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text: received,
    json: parseObject(received),
  };
}

/** Headers that are about the connection, not about the answer. */
const connectionHeaders: ReadonlySet<string> = new Set(['date', 'connection', 'keep-alive']);
/** Headers whose value is a word of the protocol. */
const wordHeaders: ReadonlySet<string> = new Set([
  'content-type',
  'retry-after',
  'x-ms-error-code',
  'www-authenticate',
  'allow',
  'strict-transport-security',
]);

/** Status, headers and body of an answer. */
export function describeAnswer({ status, headers, text: body, json }: ProbeAnswer, names: Names): Facts {
  const shown = Object.entries(headers).filter(([name]) => !connectionHeaders.has(name));
  const trackingId = json?.['trackingId'];
  return {
    status: String(status),
    ...Object.fromEntries(
      shown.map(([name, value]) => [
        `header ${name}`,
        wordHeaders.has(name) ? scrubText(String(value), names) : describeHeader(String(value), names),
      ]),
    ),
    ...(trackingId === undefined
      ? {}
      : {
          'trackingId is x-ms-request-id': trackingId === headers['x-ms-request-id'] ? 'yes' : 'no',
        }),
    ...(json === undefined ? { body: body === '' ? 'empty' : 'no JSON object' } : describeJson(json, names)),
  };
}

function describeHeader(value: string, names: Names): string {
  const format = describeFormat(value, names);
  return format === '<text>' ? 'present' : format;
}

function parseObject(body: string): JsonObject | undefined {
  try {
    const value = JSON.parse(body) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
