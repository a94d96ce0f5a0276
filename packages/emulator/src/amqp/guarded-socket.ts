import type { Duplex } from 'node:stream';
import { AmqpFrameGuard } from '@endorse/protocol';

/** The shape of a WebSocket, in which rhea takes connections that are no sockets of its own. */
export interface RheaSocket {
  readonly url: string;
  onmessage: ((event: { readonly data: Buffer }) => void) | undefined;
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  send(data: Buffer): void;
  close(): void;
}

/** How long a peer may take to close its half after ours. */
const closeTimeoutMs = 1_000;

/**
 * Gives rhea the frames of a connection that passed the guard, one at a time, and takes its own.
 * After a frame that did not pass, `onViolation` is called once and nothing more is read.
 */
export function guardSocket(stream: Duplex, onViolation: (error: Error) => void): RheaSocket {
  const guard = new AmqpFrameGuard();
  let closing: NodeJS.Timeout | undefined;
  const socket: RheaSocket = {
    url: 'guarded',
    onmessage: undefined,
    onclose: undefined,
    onerror: undefined,
    send: (data) => {
      if (stream.writable) stream.write(data);
    },
    close: () => {
      if (closing !== undefined || stream.destroyed) return;
      stream.end();
      closing = setTimeout(() => stream.destroy(), closeTimeoutMs);
    },
  };
  const onData = (chunk: Buffer): void => {
    let frames: readonly Uint8Array[];
    try {
      frames = guard.push(chunk);
    } catch (error) {
      stream.off('data', onData).resume();
      onViolation(error as Error);
      return;
    }
    for (const { buffer, byteOffset, byteLength } of frames) {
      socket.onmessage?.({ data: Buffer.from(buffer, byteOffset, byteLength) });
    }
  };
  stream.on('data', onData);
  stream.once('close', () => {
    clearTimeout(closing);
    socket.onclose?.();
  });
  return socket;
}
