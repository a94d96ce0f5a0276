import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** One request as this process wrote it to a socket. */
export interface SentRequest {
  /** Where the socket leads. */
  readonly remoteAddress: string;
  readonly path: string;
  /** The whole header, as it was sent. */
  readonly header: string;
  /** Two requests with the same one went over the same connection. */
  readonly socket: object;
}

interface SendHeadersMessage {
  readonly request: { readonly path: string };
  readonly headers: string;
  readonly socket: { readonly remoteAddress?: string };
}

const channel = 'undici:client:sendHeaders';

/** Keeps every HTTP request that this process sends, until it is disposed of. */
export function watchRequests(): Disposable & { readonly sent: readonly SentRequest[] } {
  const sent: SentRequest[] = [];
  const onMessage = (message: unknown): void => {
    const { request, headers, socket } = message as SendHeadersMessage;
    sent.push({ remoteAddress: socket.remoteAddress ?? '', path: request.path, header: headers, socket });
  };
  subscribe(channel, onMessage);
  return { sent, [Symbol.dispose]: () => void unsubscribe(channel, onMessage) };
}
