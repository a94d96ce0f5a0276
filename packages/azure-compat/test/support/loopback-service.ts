import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the service was asked. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What it answers, in order; the connection is cut instead with `cut`. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cut?: boolean;
  readonly never?: boolean;
}

/** A plain HTTP service on the loopback that plays answers in order. */
export interface LoopbackService extends AsyncDisposable {
  readonly seen: readonly SeenRequest[];
  /** For `new Http(base)` of the official SDK: sends what it builds here instead of to port 443. */
  readonly base: OfficialHttpBase;
}

/** The part of the SDK's HTTP base class that its REST client calls. */
export interface OfficialHttpBase {
  buildRequest(
    method: string,
    path: string,
    headers: Record<string, string>,
    host: string,
    options: unknown,
    done: (error: Error | null, body?: string, response?: IncomingMessage) => void,
  ): ClientRequest;
}

export async function startLoopbackService(answers: readonly Answer[]): Promise<LoopbackService> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void readAll(incoming).then((text) => {
      const answer = answers[seen.length] ?? {
        status: 500,
        body: { message: 'the service has no more answers' },
      };
      seen.push({
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: JSON.parse(text === '' ? 'null' : text),
      });
      if (answer.never === true) return;
      if (answer.cut === true) {
        incoming.socket.destroy();
        return;
      }
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      outgoing.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    base: createBase(port),
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** The SDK's HTTP base on plain HTTP and a port of ours; to a closed port when it is 1. */
export function createBase(port: number): OfficialHttpBase {
  return {
    buildRequest(method, path, headers, _host, options, done) {
      const callback = typeof options === 'function' ? (options as typeof done) : done;
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
        void readAll(response).then((text) => {
          if ((response.statusCode ?? 0) >= 300) {
            callback(new Error(response.statusMessage), text, response);
          } else {
            callback(null, text, response);
          }
        });
      });
      outgoing.on('error', (error) => callback(error));
      return outgoing;
    },
  };
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
