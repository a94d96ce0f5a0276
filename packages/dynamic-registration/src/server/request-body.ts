import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { Clock } from '@endorse/interface';
import { parseStrictJson } from '../tokens/strict-json.ts';

/** The largest request, in bytes: a token of 8 KiB, an id, TPM keys. */
export const maxBodyBytes = 16_384;

/** How long a body may take to arrive, in milliseconds. */
const bodyTimeoutMs = 10_000;

/** Levels of nesting in a request; it has two. */
const maxDepth = 4;

/** Why a body is not usable. */
export type BodyProblem = 'too-large' | 'request-timeout' | 'unsupported-media-type' | 'bad-request';

/** The fields of a request, or why there are none. */
export type RequestBody =
  | { readonly ok: true; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: BodyProblem };

/**
 * Reads the fields of a request: JSON, and with `forms` also what HTML forms send. The size is counted as it arrives,
 * whatever Content-Length says, and a body that does not arrive in time is given up.
 */
export async function readBody(
  request: Request,
  options: { readonly clock: Clock; readonly forms: boolean },
): Promise<RequestBody> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const isForm = type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data';
  if (type !== 'application/json' && !(isForm && options.forms)) {
    return { ok: false, problem: 'unsupported-media-type' };
  }
  const bytes = await readBytes(request, options.clock);
  if (typeof bytes === 'string') return { ok: false, problem: bytes };
  const value = isForm ? await parseForm(request, bytes) : parseJson(bytes);
  return value === undefined ? { ok: false, problem: 'bad-request' } : { ok: true, fields: value };
}

async function readBytes(
  request: Request,
  clock: Clock,
): Promise<Uint8Array | 'too-large' | 'request-timeout'> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const finished = new AbortController();
  const late = clock.sleep(bodyTimeoutMs, finished.signal).then(
    () => 'late' as const,
    () => 'finished' as const,
  );
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), late]);
      if (next === 'late' || next === 'finished') return 'request-timeout';
      if (next.done) return Buffer.concat(chunks);
      total += next.value.byteLength;
      if (total > maxBodyBytes) return 'too-large';
      chunks.push(next.value);
    }
  } finally {
    finished.abort();
    // Not cancelled: that would close the connection before the answer is out.
    reader.releaseLock();
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return undefined;
  }
  const parsed = parseStrictJson(text, maxDepth);
  return parsed.ok && isRecord(parsed.value) ? parsed.value : undefined;
}

async function parseForm(
  request: Request,
  bytes: Uint8Array,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const headers = { 'content-type': request.headers.get('content-type') ?? '' };
    const form = await new Response(Uint8Array.from(bytes), { headers }).formData();
    return Object.fromEntries([...form.entries()]);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
