/** The admin API over HTTP, on loopback: TLS would only make browsers distrust it. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Listening } from '../listener/listening.ts';
import { startListeningPlain } from '../listener/listening.ts';
import type { AdminAnswer, AdminApi } from './admin-api.ts';
import type { EventFeed } from './event-feed.ts';
import { pageHeaders, readPage } from './page.ts';

/** Starts listening. Until `serve` is called it answers 503. Rejects with `ERR_EMULATOR_LISTEN`. */
export async function startAdminServer(
  port: number,
): Promise<Listening & { readonly serve: (api: AdminApi, feed: EventFeed) => void }> {
  const server: Server = createServer({
    maxHeaderSize: 16_384,
    requestTimeout: 20_000,
    headersTimeout: 10_000,
  });
  let answer = (_request: IncomingMessage, response: ServerResponse, _body: string): void => {
    response.writeHead(503, { 'retry-after': '1' }).end();
  };
  server.on('request', (request, response) => {
    readBody(request, (body) => {
      if (body === undefined) response.writeHead(413, { connection: 'close' }).end();
      else answer(request, response, body);
    });
  });
  const listening = await startListeningPlain(server, { bind: '127.0.0.1', port });
  return {
    ...listening,
    serve: (api, feed) => {
      answer = (request, response, body) => {
        const { method = '', url: target = '', headers } = request;
        const { host, authorization } = headers;
        let result: AdminAnswer;
        try {
          result = api.handle({ method, target, host, authorization, body });
        } catch (error) {
          // A target that is no address, or a store that fails: the emulator goes on.
          result = { kind: 'json', status: 500, value: { message: String(error) } };
        }
        send(response, result, feed);
      };
    },
  };
}

/** Rules are short; nothing else has a body. */
const maxBodyBytes = 65_536;

function readBody(request: IncomingMessage, onBody: (body: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let byteLength = 0;
  request.on('data', (chunk: Buffer) => {
    byteLength += chunk.byteLength;
    if (byteLength <= maxBodyBytes) chunks.push(chunk);
  });
  request.on('end', () => onBody(byteLength > maxBodyBytes ? undefined : Buffer.concat(chunks).toString()));
}

function send(response: ServerResponse, answer: AdminAnswer, feed: EventFeed): void {
  switch (answer.kind) {
    case 'json':
      response.writeHead(answer.status, { ...common, 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(answer.value));
      return;
    case 'text':
      response.writeHead(answer.status, {
        ...common,
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      });
      response.end(answer.text);
      return;
    case 'page':
      response.writeHead(200, { ...common, ...pageHeaders });
      response.end(readPage());
      return;
    case 'empty':
      response.writeHead(204, common).end();
      return;
    case 'stream':
      stream(response, feed);
      return;
    default:
      answer satisfies never;
  }
}

/** JSON lines, one a message, as long as the other side listens. */
function stream(response: ServerResponse, feed: EventFeed): void {
  const stop = feed.watch((message) => {
    // Whoever does not keep up is let go: what waits here would grow without end.
    if (response.writableLength > maxWaitingBytes) response.destroy();
    else response.write(`${JSON.stringify(message)}\n`);
  });
  if (stop === undefined) {
    response.writeHead(429, { ...common, 'retry-after': '5' }).end();
    return;
  }
  response.on('close', stop);
  response.writeHead(200, { ...common, 'content-type': 'application/x-ndjson; charset=utf-8' });
  response.flushHeaders();
}

const maxWaitingBytes = 1_048_576;

const common = Object.freeze({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
});
