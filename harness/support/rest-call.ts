import { request } from 'undici';
import type { Dispatcher } from 'undici';

/** One HTTPS request and what came back, for the parts of a story that no Endorse client is about. */
export interface RestCall {
  readonly method: Dispatcher.HttpMethod;
  readonly url: string;
  /** Absent when the connection itself says who calls. */
  readonly authorization?: string;
  readonly body: string | Uint8Array;
  readonly contentType: string;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface RestAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends the request and reads the whole answer. */
export async function callRest(call: RestCall): Promise<RestAnswer> {
  const { statusCode, body } = await request(call.url, {
    method: call.method,
    headers: {
      'content-type': call.contentType,
      ...(call.authorization === undefined ? {} : { authorization: call.authorization }),
    },
    body: call.body,
    dispatcher: call.dispatcher,
    signal: call.signal,
  });
  return { status: statusCode, text: await body.text() };
}
