import type { CallWebHook, WebHookOutcome, WebHookRequest } from '../allocation/web-hook.ts';

/** Bounds of a web-hook's answer. */
export interface WebHookCallerOptions {
  /** For the whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends every call, as when the emulator stops. */
  readonly signal: AbortSignal;
}

/** Makes a caller over HTTP and HTTPS, with the trust of the process (`NODE_EXTRA_CA_CERTS` included). Redirects are answers like any other. */
export function createWebHookCaller({ timeoutMs, signal }: WebHookCallerOptions): CallWebHook {
  return async (request) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return await call(request, AbortSignal.any([signal, timeout]));
    } catch (error) {
      const reason = timeout.aborted ? `the web-hook did not answer within ${timeoutMs} ms` : reasonOf(error);
      return { outcome: 'unreachable', reason };
    }
  };
}

async function call({ url, apiVersion, body }: WebHookRequest, signal: AbortSignal): Promise<WebHookOutcome> {
  const target = new URL(url);
  if (!target.searchParams.has('api-version')) target.searchParams.set('api-version', apiVersion);
  const response = await fetch(target, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', accept: 'application/json' },
    body,
    redirect: 'manual',
    signal,
  });
  return { outcome: 'answered', status: response.status, body: await readText(response) };
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    byteLength += chunk.byteLength;
    if (byteLength > maxAnswerBytes)
      throw new Error(`the answer of the web-hook exceeds ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, byteLength).toString('utf8');
}

/** What the service takes in a body. */
const maxAnswerBytes = 98_304;

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch failed` says nothing, its cause does.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
