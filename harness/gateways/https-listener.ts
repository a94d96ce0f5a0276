import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { RestAnswer, RestRequest } from './route.ts';

/** The HTTPS side of a simulated gateway. */
export interface HttpsListener {
  /** Where it listens. */
  readonly port: number;
  /** Listens at another port, and perhaps another address, and stops at the old one. */
  moveTo(port: number, address?: string): Promise<void>;
  /** Shows another certificate to new connections. Throws for what OpenSSL does not take. */
  useCertificate(certificatePem: string, keyPem: string): void;
  /** Closes every connection and the port. */
  stop(): Promise<void>;
}

/** What a listener is started with. */
export interface HttpsListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly answer: (request: RestRequest) => Promise<RestAnswer>;
}

/** Requests of an API with settings and certificates are smaller. */
const maxBodyBytes = 256 * 1024;

/** Starts listening. Rejects with the system's error when the address or port cannot be had. */
export async function startHttpsListener(options: HttpsListenerOptions): Promise<HttpsListener> {
  const { answer } = options;
  let { address } = options;
  const sockets = new Set<Socket>();
  let credentials = { cert: options.certificatePem, key: options.keyPem };

  const listen = async (port: number): Promise<Server> => {
    const server = createServer(credentials, (message, response) => {
      void serve(message, response, answer);
    });
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(port, address);
    await once(server, 'listening');
    return server;
  };
  const close = async (server: Server): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };

  let current = await listen(options.port);
  return {
    get port() {
      return (current.address() as AddressInfo).port;
    },
    moveTo: async (port, nextAddress = address) => {
      const before = current;
      address = nextAddress;
      current = await listen(port);
      await close(before);
    },
    useCertificate: (certificatePem, keyPem) => {
      const next = { cert: certificatePem, key: keyPem };
      current.setSecureContext(next);
      credentials = next;
    },
    stop: () => close(current),
  };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpsListenerOptions['answer'],
): Promise<void> {
  try {
    const answered = await answer(await readRequest(message));
    if (answered === 'drop') {
      message.socket.destroy();
      return;
    }
    if ('raw' in answered) {
      response.writeHead(200, { 'content-type': 'text/html' }).end(answered.raw);
      return;
    }
    const { status, body } = answered;
    if (body === undefined) response.writeHead(status).end();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } catch {
    message.socket.destroy();
  }
}

async function readRequest(message: IncomingMessage): Promise<RestRequest> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of message as AsyncIterable<Uint8Array>) {
    byteLength += chunk.byteLength;
    if (byteLength > maxBodyBytes) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    method: message.method ?? '',
    path: (message.url ?? '').replace(/^\/api\/v1/, '').replace(/\?.*$/, ''),
    token: /^Bearer (\S+)$/.exec(message.headers.authorization ?? '')?.[1],
    body: readBody(text, message.headers['content-type'] ?? ''),
  };
}

function readBody(text: string, contentType: string): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary === undefined) return JSON.parse(text) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    text.split(`--${boundary}`).flatMap((part) => {
      const [header = '', ...rest] = part.split('\r\n\r\n');
      const name = /; name="([^"]*)"/.exec(header)?.[1];
      return name === undefined ? [] : [[name, rest.join('\r\n\r\n').replace(/\r\n$/, '')] as const];
    }),
  );
}
