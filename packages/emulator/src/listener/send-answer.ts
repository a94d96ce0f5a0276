import type { ServerResponse } from 'node:http';
import type { Clock } from '@endorse/interface';
import { handOver, truncateBody } from '../faults/hand-over.ts';
import type { HttpAnswer } from './http-call.ts';

/** Sends an answer as its delivery says: late, cut off, under another name, or not at all. */
export function sendAnswer(
  response: ServerResponse,
  answer: HttpAnswer,
  closeAfter: boolean,
  sleep: Clock['sleep'],
): void {
  handOver(answer.delivery, {
    send: () => sendNow(response, answer, closeAfter),
    drop: () => response.destroy(),
    sleep,
    untilGone: () => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      return gone.signal;
    },
  });
}

/** The `content-length` of an answer, as a header's name and value. */
export function lengthHeader({ status, body }: HttpAnswer): readonly string[] {
  return status === 204 ? [] : ['content-length', String(Buffer.byteLength(body))];
}

function sendNow(response: ServerResponse, answer: HttpAnswer, closeAfter: boolean): void {
  const { status, headers, body, delivery } = answer;
  const fields = [...replaceContentType(headers, delivery?.contentType), ...lengthHeader(answer)];
  if (closeAfter) fields.push('connection', 'close');
  response.writeHead(status, fields);
  if (delivery?.truncateTo === undefined) {
    response.end(body);
    return;
  }
  const kept = truncateBody(Buffer.from(body), delivery);
  // Under the length of the whole, so that nobody can take it for all there is.
  response.flushHeaders();
  if (kept.byteLength > 0) response.write(kept);
  response.socket?.end();
}

function replaceContentType(headers: readonly string[], contentType: string | undefined): string[] {
  if (contentType === undefined) return [...headers];
  return headers.map((field, index) =>
    headers[index - 1] === 'content-type' && index % 2 === 1 ? contentType : field,
  );
}
