import net from 'node:net';
import { TpmDeviceError } from '../errors.ts';

/** Where a simulator listens. */
export type SocketTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/** Options of {@link openSocket}. */
export interface OpenSocketOptions {
  /** How long connecting may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A byte stream to a simulator on which requests and answers alternate.
 *
 * An idle socket does not keep the process alive; a pending answer does.
 */
export interface TpmSocket {
  /**
   * Writes `request` in one write and collects bytes until `answerBytes` knows the length of the answer and it is
   * there. `answerBytes` returns undefined while it needs more bytes, and throws for an answer that is none.
   */
  exchange(
    request: Uint8Array,
    answerBytes: (received: Uint8Array) => number | undefined,
  ): Promise<Uint8Array>;
  /** False once either side has closed. */
  isOpen(): boolean;
  /** Writes `farewell`, if given, and closes. Harmless when repeated. */
  destroy(farewell?: Uint8Array): void;
}

interface PendingAnswer {
  readonly answerBytes: (received: Uint8Array) => number | undefined;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/** Connects. Rejects with `ERR_TPM_UNREACHABLE`, `ERR_TPM_PERMISSION` or the signal's reason. */
export async function openSocket(target: SocketTarget, options: OpenSocketOptions): Promise<TpmSocket> {
  options.signal?.throwIfAborted();
  const socket = 'path' in target ? net.connect(target.path) : net.connect(target.port, target.host);
  // Requests are written whole; waiting for more would only add the peer's delayed acknowledgement.
  socket.setNoDelay(true);
  await connected(socket, target, options);
  return attach(socket);
}

function connected(socket: net.Socket, target: SocketTarget, options: OpenSocketOptions): Promise<void> {
  const { timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', onError);
      if (error === undefined) {
        resolve();
        return;
      }
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onConnect = (): void => settle();
    const onError = (cause: NodeJS.ErrnoException): void => settle(connectError(target, cause));
    const onAbort = (): void => settle(signal?.reason);
    const timer = setTimeout(() => {
      settle(unreachable(target, `did not accept a connection within ${timeoutMs} ms`));
    }, timeoutMs);
    socket.once('connect', onConnect);
    socket.once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function attach(socket: net.Socket): TpmSocket {
  let pending: PendingAnswer | undefined;
  let received: Uint8Array = new Uint8Array(0);
  let failure: unknown;
  let open = true;

  const fail = (problem: string, cause?: unknown): void => {
    open = false;
    failure ??= new TpmDeviceError('ERR_TPM_IO', problem, { cause, commandSent: pending !== undefined });
    socket.destroy();
    const waiting = pending;
    pending = undefined;
    waiting?.reject(failure);
  };
  const deliver = (): void => {
    if (pending === undefined) {
      fail('the simulator sent bytes nobody asked for');
      return;
    }
    try {
      const expected = pending.answerBytes(received);
      if (expected === undefined || received.byteLength < expected) return;
      if (received.byteLength > expected) throw new Error('bytes after the answer');
    } catch (cause) {
      fail('the simulator answered something that is no response', cause);
      return;
    }
    const { resolve } = pending;
    const answer = received;
    pending = undefined;
    received = new Uint8Array(0);
    socket.unref();
    resolve(answer);
  };

  socket.on('data', (chunk: Uint8Array) => {
    received = received.byteLength === 0 ? Uint8Array.from(chunk) : Buffer.concat([received, chunk]);
    deliver();
  });
  socket.on('error', (cause) => fail('the connection to the simulator broke', cause));
  socket.on('end', () => fail('the simulator closed the connection'));
  socket.on('close', () => fail('the connection to the simulator is closed'));
  socket.unref();

  return {
    exchange: (request, answerBytes) =>
      new Promise((resolve, reject) => {
        if (!open || pending !== undefined) {
          reject(failure ?? new TpmDeviceError('ERR_TPM_IO', 'a request is pending already'));
          return;
        }
        pending = { answerBytes, resolve, reject };
        socket.ref();
        socket.write(request);
      }),
    isOpen: () => open,
    destroy: (farewell) => {
      if (open && farewell !== undefined && pending === undefined) socket.end(farewell);
      fail('the connection to the simulator was closed by us');
    },
  };
}

function connectError(target: SocketTarget, cause: NodeJS.ErrnoException): TpmDeviceError {
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new TpmDeviceError('ERR_TPM_PERMISSION', `may not connect to ${describe(target)}`, {
      cause,
      remedy: 'Give this user access to the socket of the simulator.',
    });
  }
  return unreachable(target, `could not be reached (${cause.code ?? cause.message})`, cause);
}

function unreachable(target: SocketTarget, problem: string, cause?: unknown): TpmDeviceError {
  return new TpmDeviceError('ERR_TPM_UNREACHABLE', `the TPM simulator at ${describe(target)} ${problem}`, {
    cause,
    remedy: 'Start the simulator, or correct the TPM address.',
  });
}

function describe(target: SocketTarget): string {
  return 'path' in target ? target.path : `${target.host}:${target.port}`;
}
