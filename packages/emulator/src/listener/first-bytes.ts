/**
 * One TLS port for several protocols: what a connection carries is told by its first bytes. HTTP begins with the letter
 * of a method, AMQP with its name, MQTT with the type of its CONNECT packet, so a hub is reached under one name and
 * port by all of them, as `assignedHub` has room for one only.
 */
import type { TLSSocket } from 'node:tls';
import type { StreamHandler } from './stream-handler.ts';

/** A protocol that is told from HTTP by how it begins. */
export interface FirstBytesEndpoint {
  /** What every client sends first. */
  readonly firstBytes: Uint8Array;
  /** Takes over a connection; nothing of it has been read yet. */
  readonly accept: StreamHandler;
}

/** How the protocols begin that are not HTTP. */
export const firstBytes: Readonly<Record<'amqp' | 'mqtt', Uint8Array>> = {
  /** The protocol header of AMQP 1.0 section 2.2. */
  amqp: Buffer.from('AMQP'),
  /** The type and flags of CONNECT, MQTT 3.1.1 section 3.1.1. */
  mqtt: Uint8Array.of(0x10),
};

/** What becomes of a connection, by how it begins. */
export interface FirstBytesOutcomes {
  readonly fits: (endpoint: FirstBytesEndpoint) => void;
  /** None of the endpoints fits. */
  readonly otherwise: () => void;
  /** Nothing that tells came within `timeoutMs`. */
  readonly silent: () => void;
}

/** Waits for the first bytes of a connection, leaves them unread, and calls exactly one outcome, or none when it closes before. */
export function tellByFirstBytes(
  socket: TLSSocket,
  endpoints: readonly FirstBytesEndpoint[],
  timeoutMs: number,
  { fits, otherwise, silent }: FirstBytesOutcomes,
): void {
  let seen = Buffer.alloc(0);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) seen = Buffer.concat([seen, chunk]);
    const endpoint = endpoints.find((each) => startsWith(seen, each.firstBytes));
    const mayFit = endpoints.some((each) => startsWith(each.firstBytes, seen));
    if (endpoint === undefined && mayFit && !socket.readableEnded) return;
    if (seen.length > 0) socket.unshift(seen);
    decide(() => (endpoint === undefined ? otherwise() : fits(endpoint)));
  };
  const timer = setTimeout(() => decide(silent), timeoutMs);
  socket.on('readable', look);
  socket.once('close', stop);

  function decide(outcome: () => void): void {
    stop();
    // The stream leaves the mode that it was in for `readable` only with the next tick.
    process.nextTick(outcome);
  }

  function stop(): void {
    clearTimeout(timer);
    socket.off('readable', look).off('close', stop);
  }
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, beginning.length), beginning) === 0;
}
