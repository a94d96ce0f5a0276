import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { RegistrationHandler } from './handler.ts';
import { problemReply } from './reply.ts';

/**
 * Serves a handler from `node:http` or `node:https`. The body is a stream that the handler bounds; what it does not
 * read is drained or cut off. Forty lines instead of a library, because limits and shutdown are this server's own.
 */
export function createNodeListener(handler: RegistrationHandler): RequestListener {
  return (incoming, outgoing) => {
    // `serve` does not reject: a broken socket is the end of its own request only.
    void serve(handler, incoming, outgoing);
  };
}

async function serve(
  handler: RegistrationHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  incoming.on('error', () => undefined);
  outgoing.on('error', () => undefined);
  const request = toRequest(incoming);
  const response =
    request === undefined
      ? problemReply('bad-request')
      : await handler(request, { remoteAddress: incoming.socket.remoteAddress });
  // A body that is still arriving after the answer is nothing we wait for.
  const isUnread = !incoming.complete;
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    ...(isUnread ? { connection: 'close' } : {}),
  });
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}

function toRequest(incoming: IncomingMessage): Request | undefined {
  const { method = 'GET', url = '/', headers } = incoming;
  // The host is the client's word and means nothing here.
  if (!url.startsWith('/') || !URL.canParse(url, 'https://registrar.invalid')) return undefined;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  try {
    return new Request(new URL(url, 'https://registrar.invalid'), {
      method,
      headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
      ),
      ...(hasBody
        ? {
            body: Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>,
            duplex: 'half' as const,
          }
        : {}),
    });
  } catch {
    // A method that the web forbids: TRACE, CONNECT.
    return undefined;
  }
}
