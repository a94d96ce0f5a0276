/**
 * How a service is made to speak over each carrier once TLS stands, with nothing that counts as a try to log in: what
 * it says tells a provisioning service from a portal or a proxy that only listens.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { amqpWebSocketProtocol, webSocketPath } from '@endorse/protocol';
import type { ProbeTarget } from './probe-host.ts';
import { askAmqp, askMqtt } from './stream-greeting.ts';

/** What is said to a service, and how its answer is read. */
export interface Greeting<Answer> {
  /** What ALPN offers; empty for a handshake without. */
  readonly alpnProtocols: readonly string[];
  /** Rejects when the answer is not one of the carrier. Ends with the socket, which the caller destroys. */
  readonly ask: (socket: TLSSocket, target: ProbeTarget) => Promise<Answer>;
}

/** What the service says to `GET /`. */
export interface HttpAnswer {
  readonly status: number;
  /** The server's clock in milliseconds since 1970; absent without a usable `Date`. */
  readonly serverMs?: number;
  /** Our clock in the middle of the request. */
  readonly localMs: number;
}

/** `GET /`, which needs no rights and is answered with the time. */
export const httpGreeting: Greeting<HttpAnswer> = { alpnProtocols: ['http/1.1'], ask: askHttp };

/** The other carriers: their usual ports, and greetings that are answered with what the service speaks. */
export const streamCarriers: Readonly<
  Record<string, { readonly port: number; readonly greeting: Greeting<string> }>
> = {
  amqp: { port: 5671, greeting: { alpnProtocols: [], ask: askAmqp } },
  'amqp-ws': { port: 443, greeting: overWebSocket(amqpWebSocketProtocol, askAmqp) },
  mqtt: { port: 8883, greeting: { alpnProtocols: [], ask: askMqtt } },
  'mqtt-ws': { port: 443, greeting: overWebSocket('mqtt', askMqtt) },
};

function overWebSocket(protocol: string, ask: (stream: Duplex) => Promise<string>): Greeting<string> {
  return {
    alpnProtocols: ['http/1.1'],
    ask: async (socket, { host, port }) => {
      const { openWebSocket } = await import('@endorse/transport-socket/web-socket');
      const path = webSocketPath;
      const options = { host, port, path, protocol, userAgent, maxMessageBytes: maxAnswerBytes };
      return `${await ask(await openWebSocket(socket, options))} in a WebSocket`;
    },
  };
}

const userAgent = 'endorse-cli';

/** A greeting is answered with a handful of bytes. */
const maxAnswerBytes = 65_536;

function askHttp(socket: TLSSocket, { host, port, signal }: ProbeTarget): Promise<HttpAnswer> {
  const startedAt = Date.now();
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => socket,
      host,
      port,
      path: '/',
      headers: { accept: 'application/json', connection: 'close' },
      signal,
    });
    request.once('error', reject);
    request.once('response', (response: IncomingMessage) => {
      const localMs = (startedAt + Date.now()) / 2;
      const serverMs = Date.parse(response.headers.date ?? '');
      response.destroy();
      resolve({
        status: response.statusCode ?? 0,
        localMs,
        ...(Number.isNaN(serverMs) ? {} : { serverMs }),
      });
    });
    request.end();
  });
}
