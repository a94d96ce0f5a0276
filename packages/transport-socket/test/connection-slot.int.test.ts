/** A slot and its connections, against a TLS server of its own. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { ServiceError } from '@endorse/interface';
import { startTlsPeer } from '@endorse/testkit';
import type { TlsPeer } from '@endorse/testkit';
import type { ConnectionSlot, SlotConnection } from '@endorse/transport-socket';
import { createConnectionSlot } from '@endorse/transport-socket';
import { expect, test } from 'vitest';

const bounds = { signals: [], attempted: 'open', timeoutMs: 10_000 };

/** The least there is: bytes that end. */
class Line implements SlotConnection {
  readonly name: string;
  readonly stream: Duplex;
  readonly #ended = new AbortController();

  constructor(stream: Duplex, name: string) {
    this.stream = stream.resume();
    this.name = name;
    stream.on('error', () => undefined);
    stream.once('close', () => this.#ended.abort());
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  async close(): Promise<void> {
    this.stream.end('goodbye');
  }
}

function slotFor(peer: TlsPeer): ConnectionSlot<Line, string> {
  const { hostname: host, port } = new URL(`tls://${peer.host}`);
  const direct = { proxy: undefined, proxyCa: undefined, clientCertificate: undefined };
  return createConnectionSlot({
    settings: { ...direct, host, port: Number(port), ca: [peer.ca] },
    webSocket: undefined,
    load: async () => (stream: Duplex, name: string) => new Line(stream, name),
  });
}

test('a new connection takes the place of the one before', async () => {
  await using peer = await startTlsPeer();
  const slot = slotFor(peer);
  const first = await slot.open('first', bounds);
  expect(slot.current).toBe(first);
  const second = await slot.open('second', bounds);
  expect(slot.current?.name).toBe('second');
  expect(first.stream.destroyed).toBe(true);
  expect(second.stream.destroyed).toBe(false);
  await slot.close();
  await expect.poll(() => peer.open).toBe(0);
});

test('an answer of the service leaves the connection as it is, any other failure takes it down', async () => {
  await using peer = await startTlsPeer();
  const slot = slotFor(peer);
  const line = await slot.open('line', bounds);
  slot.dropAfter(new ServiceError('refused', { status: 404 }));
  expect(slot.current).toBe(line);
  slot.dropAfter(new Error('nonsense'));
  expect(slot.current).toBeUndefined();
  expect(line.stream.destroyed).toBe(true);
});

test('a connection that has ended is not the current one any more', async () => {
  await using peer = await startTlsPeer((socket) => void socket.end());
  const slot = slotFor(peer);
  const line = await slot.open('line', bounds);
  if (!line.ended.aborted) await once(line.ended, 'abort');
  expect(slot.current).toBeUndefined();
  await slot.close();
});

test('goodbye is said before the sockets go', async () => {
  const heard = Promise.withResolvers<string>();
  await using peer = await startTlsPeer((socket) => {
    socket.once('data', (bytes: Buffer) => heard.resolve(bytes.toString()));
  });
  const slot = slotFor(peer);
  await slot.open('line', bounds);
  await slot.close();
  expect(await heard.promise).toBe('goodbye');
  await expect.poll(() => peer.open).toBe(0);
});

test('what is aborted while it connects leaves no socket', async () => {
  await using peer = await startTlsPeer();
  const slot = slotFor(peer);
  const leaving = new AbortController();
  const opening = slot.open('line', { ...bounds, signals: [leaving.signal] });
  leaving.abort(new Error('changed my mind'));
  await expect(opening).rejects.toThrowError('changed my mind');
  expect(slot.current).toBeUndefined();
  await slot.close();
  await expect.poll(() => peer.open).toBe(0);
});
