import type { Socket } from 'node:net';

/**
 * The wire of the Microsoft/IBM reference simulator: every integer a u32, big endian.
 * A request is a code and what that code brings along; an answer ends with a u32 of 0.
 */

/** Codes of the command port. */
export const commandCode = {
  hashStart: 5,
  hashData: 6,
  hashEnd: 7,
  sendCommand: 8,
  remoteHandshake: 15,
  sessionEnd: 20,
  stop: 21,
} as const;

/** Codes of the platform port. */
export const platformCode = {
  powerOn: 1,
  powerOff: 2,
  physicalPresenceOn: 3,
  physicalPresenceOff: 4,
  cancelOn: 9,
  cancelOff: 10,
  nvOn: 11,
  keyCacheOn: 13,
  keyCacheOff: 14,
  reset: 17,
  restart: 18,
  sessionEnd: 20,
  stop: 21,
  testFailureMode: 30,
} as const;

/** Longest body the reference simulator takes; it closes the connection on a longer one. */
export const maxBodyBytes = 1_048_576;

const serverVersion = 1;
// Platform available, raw mode, supports physical presence: what the reference servers send.
const endpointFlags = 0x0d;

/** The answer to a request that was carried out and brings nothing back. */
export const acknowledgement: Uint8Array = words(0);
/** The answer to a code the platform port does not know; the connection is closed after it. */
export const refusal: Uint8Array = words(1);
/** The answer to the handshake. */
export const handshakeAnswer: Uint8Array = words(serverVersion, endpointFlags, 0);

/** The answer to a command, in one piece: the reference server's three writes cost a client 44 ms. */
export function commandAnswer(response: Uint8Array): Uint8Array {
  return Buffer.concat([words(response.length), response, words(0)]);
}

/** Reads a u32; undefined when the peer has closed. */
export async function readWord(socket: Socket): Promise<number | undefined> {
  const bytes = await readExactly(socket, 4);
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Reads a u32 length and as many bytes; undefined when the peer has closed or the length is out of bounds. */
export async function readBody(socket: Socket): Promise<Uint8Array | undefined> {
  const length = await readWord(socket);
  return length === undefined || length > maxBodyBytes ? undefined : readExactly(socket, length);
}

/** Reads exactly so many bytes; undefined when the peer closes before. */
export async function readExactly(socket: Socket, byteLength: number): Promise<Uint8Array | undefined> {
  if (byteLength === 0) return new Uint8Array(0);
  for (;;) {
    const chunk = socket.read(byteLength) as Buffer | null;
    if (chunk !== null) return chunk.length === byteLength ? Uint8Array.from(chunk) : undefined;
    if (socket.readableEnded || socket.destroyed) return undefined;
    await untilReadable(socket);
  }
}

async function untilReadable(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const events = ['readable', 'end', 'close'] as const;
  for (const event of events) socket.on(event, wake);
  await promise;
  for (const event of events) socket.off(event, wake);
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) bytes.setUint32(4 * index, value);
  return new Uint8Array(bytes.buffer);
}
