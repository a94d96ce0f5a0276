import type { Duplex } from 'node:stream';
import { AmqpFrameGuard } from '@endorse/protocol';

/** What rhea takes for a socket. */
export interface RheaSocket {
  on(event: string, listener: (value?: unknown) => void): RheaSocket;
  write(data: Uint8Array): void;
  end(): void;
  /** For rhea's own debug log. */
  get_id_string(): string;
}

/** What a guarded connection tells beside its frames. */
export interface GuardListeners {
  /** The peer sent something that did not pass; nothing more is read. */
  readonly onViolation: (error: Error) => void;
  /** The connection is gone; with the error that ended it, if one did. */
  readonly onClose: (cause: Error | undefined) => void;
}

/** Gives rhea the frames of a connection that passed the guard, one at a time, and takes its own. */
export function guardSocket(stream: Duplex, { onViolation, onClose }: GuardListeners): RheaSocket {
  const guard = new AmqpFrameGuard();
  const listeners = new Map<string, (value?: unknown) => void>();
  let cause: Error | undefined;
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
      listeners.get('data')?.(Buffer.from(buffer, byteOffset, byteLength));
    }
  };
  stream.on('data', onData);
  stream.on('error', (error: Error) => {
    cause ??= error;
  });
  stream.once('close', () => {
    onClose(cause);
    // Lets rhea stop its timers.
    listeners.get('end')?.();
  });
  const socket: RheaSocket = {
    on: (event, listener) => {
      listeners.set(event, listener);
      return socket;
    },
    write: (data) => {
      if (!stream.writable) return;
      // rhea writes frame by frame: what it has to say at a time is one TLS record.
      if (stream.writableCorked === 0) {
        stream.cork();
        process.nextTick(() => stream.uncork());
      }
      stream.write(data);
    },
    end: () => {
      stream.end();
    },
    get_id_string: () => 'guarded',
  };
  return socket;
}
