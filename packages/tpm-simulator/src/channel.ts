import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { RemoteProtocolError, TransportError } from '@endorse/interface';
import type { ChannelEndpoint } from './address.ts';

/**
 * One connection to a channel of swtpm: writes a request in one piece (swtpm does not
 * reassemble commands) and reads an answer whose length its first bytes tell.
 */
export interface Channel {
  /** Sends one request. Rejects with the signal's reason or `ERR_TRANSPORT_LOST`; the connection is then closed. */
  exchange(request: Uint8Array, answerLength: AnswerLength, signal: AbortSignal): Promise<Uint8Array>;
  /** Closes the connection at once; harmless when repeated. */
  close(): void;
}

/** Says how long the whole answer is, from its first bytes; undefined while it cannot know. */
export type AnswerLength = (received: Uint8Array) => number | undefined;

// swtpm's largest frame is 4,096 bytes; anything above this is not a TPM's answer.
const maxAnswerBytes = 65_536;

/** Connects. Rejects with `ERR_TRANSPORT_CONNECT`, or with the signal's reason. */
export async function openChannel(endpoint: ChannelEndpoint, signal: AbortSignal): Promise<Channel> {
  signal.throwIfAborted();
  const socket =
    endpoint.kind === 'unix'
      ? connect({ path: endpoint.path })
      : connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
  // An error that comes when nobody waits has nobody to tell; the next exchange finds the socket closed.
  socket.on('error', () => undefined);
  try {
    await untilSettled(socket, signal, (resolve) => {
      socket.once('connect', () => resolve(undefined));
    });
  } catch (cause) {
    socket.destroy();
    if (signal.aborted) throw cause;
    throw new TransportError('ERR_TRANSPORT_CONNECT', `nothing answers at ${describeEndpoint(endpoint)}`, {
      cause,
      phase: 'connect',
      retryable: true,
    });
  }
  return {
    exchange: (request, answerLength, exchangeSignal) =>
      exchange(socket, request, answerLength, exchangeSignal),
    close: () => {
      socket.destroy();
    },
  };
}

/** The endpoint as an error message shows it. */
export function describeEndpoint(endpoint: ChannelEndpoint): string {
  return endpoint.kind === 'unix' ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
}

async function exchange(
  socket: Socket,
  request: Uint8Array,
  answerLength: AnswerLength,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted();
  let received = Buffer.alloc(0);
  let onData: (chunk: Buffer) => void = () => undefined;
  try {
    return await untilSettled<Uint8Array>(socket, signal, (resolve, reject) => {
      onData = (chunk) => {
        received = Buffer.concat([received, chunk]);
        const expected = answerLength(received);
        if (expected === undefined && received.length <= maxAnswerBytes) return;
        if (expected !== undefined && received.length < expected && expected <= maxAnswerBytes) return;
        if (expected === received.length) resolve(Uint8Array.from(received));
        else
          reject(new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'swtpm sent an answer of the wrong length'));
      };
      socket.on('data', onData);
      socket.write(request);
    });
  } catch (error) {
    // A late answer must never be taken for the next request's.
    socket.destroy();
    throw error;
  } finally {
    socket.off('data', onData);
  }
}

/** Rejects what is awaited when the socket fails or closes, or the signal is aborted; leaves no listener. */
async function untilSettled<T>(
  socket: Socket,
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  if (socket.destroyed) throw lost(undefined);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onError = (cause: Error): void => reject(lost(cause));
  const onClose = (): void => reject(lost(undefined));
  const onAbort = (): void => reject(signal.reason);
  socket.on('error', onError).on('close', onClose);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    start(resolve, reject);
    return await promise;
  } finally {
    socket.off('error', onError).off('close', onClose);
    signal.removeEventListener('abort', onAbort);
  }
}

function lost(cause: Error | undefined): TransportError {
  return new TransportError('ERR_TRANSPORT_LOST', 'swtpm closed the connection', {
    cause,
    phase: 'receive',
    retryable: true,
  });
}
