/**
 * WebSockets on an HTTPS listener (RFC 6455), for protocols that are not HTTP. What a connection carries is told by its
 * sub-protocol alone; path and query may be anything, because the SDKs do not agree on them.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import type { ConnectionInfo, StreamHandler } from './stream-handler.ts';

/** A protocol that is served over WebSockets. */
export interface WebSocketEndpoint {
  /** Names of the sub-protocol, compared without regard to case; the client is answered in its own spelling. */
  readonly protocols: readonly string[];
  /** Takes over a connection; message boundaries do not show. */
  readonly accept: StreamHandler;
}

/** Answers upgrade requests. */
export interface WebSocketUpgrader {
  /** Replaces what is served. */
  serve(endpoints: readonly WebSocketEndpoint[]): void;
  /** Upgrades a connection; calls `refuse` with the reason when there is no endpoint for it. */
  upgrade(upgrade: UpgradeRequest, refuse: (reason: string) => void): void;
}

/** A request to go on with another protocol than HTTP. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: TLSSocket;
  /** What the client has sent already after its request. */
  readonly head: Buffer;
  readonly info: ConnectionInfo;
}

/** Largest message, in bytes; the protocols inside have narrower bounds of their own. */
const maxMessageBytes = 1_048_576;

/** Makes an upgrader that serves nothing yet; `ws` is loaded with the first connection. Connections may be idle for `idleTimeout` milliseconds. */
export function createWebSocketUpgrader(idleTimeout: number): WebSocketUpgrader {
  let endpoints: readonly WebSocketEndpoint[] = [];
  const load = async () => {
    const { WebSocketServer, createWebSocketStream } = await import('ws');
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      handleProtocols: (offered) => findOffer(endpoints, offered)?.protocol ?? false,
    });
    return { server, createWebSocketStream };
  };
  let loading: ReturnType<typeof load> | undefined;

  return {
    serve: (next) => {
      endpoints = next;
    },
    upgrade: ({ request, socket, head, info }, refuse) => {
      const offered = readProtocols(request);
      const offer = findOffer(endpoints, offered);
      if (offer === undefined) {
        refuse(describeMismatch(endpoints, offered));
        return;
      }
      loading ??= load();
      loading.then(
        ({ server, createWebSocketStream }) => {
          server.handleUpgrade(request, socket, head, (webSocket) => {
            socket.setTimeout(idleTimeout, () => socket.destroy());
            offer.endpoint.accept(toStream(webSocket, createWebSocketStream), info);
          });
        },
        () => socket.destroy(),
      );
    },
  };
}

function toStream(webSocket: WebSocket, createWebSocketStream: (webSocket: WebSocket) => Duplex): Duplex {
  const stream = createWebSocketStream(webSocket);
  // Also an oversized or broken frame: ws has closed the connection, and the protocol learns of it by `close`.
  stream.on('error', () => undefined);
  // When the connection is lost, ws ends the readable half only, and the stream would never close.
  webSocket.once('close', () => {
    if (stream.readableEnded) stream.destroy();
    else stream.once('end', () => stream.destroy());
  });
  return stream;
}

/** The first sub-protocol of the client's that somebody serves: the client's order counts. */
function findOffer(
  endpoints: readonly WebSocketEndpoint[],
  offered: Iterable<string>,
): { readonly endpoint: WebSocketEndpoint; readonly protocol: string } | undefined {
  for (const protocol of offered) {
    const endpoint = endpoints.find(({ protocols }) =>
      protocols.some((known) => known.toLowerCase() === protocol.toLowerCase()),
    );
    if (endpoint !== undefined) return { endpoint, protocol };
  }
  return undefined;
}

function readProtocols({ headers }: IncomingMessage): readonly string[] {
  const names = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

function describeMismatch(endpoints: readonly WebSocketEndpoint[], offered: readonly string[]): string {
  const served = endpoints.flatMap(({ protocols }) => protocols).join(', ') || 'none';
  const asked = offered.join(', ').slice(0, 100) || 'none';
  return `no WebSocket sub-protocol fits: asked for ${asked}, served ${served}`;
}
