/**
 * Whatever a service sends, a request ends in time, with an answer or a typed error, and lets go of its socket. The
 * bytes are those of a good session of bare rhea, damaged.
 */
import type { TLSSocket } from 'node:tls';
import { isEndorseError } from '@endorse/interface';
import * as fc from 'fast-check';
import { startTlsPeer } from '@endorse/testkit';
import { expect, test } from 'vitest';
import { openDevice, register } from './support/device.ts';
import { startService } from './support/scripted-service.ts';

/** What the service writes in a good session, piece by piece. */
async function record(): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  await using service = await startService({}, (socket: TLSSocket) => {
    const write = socket.write.bind(socket);
    socket.write = (chunk: Uint8Array) => {
      pieces.push(Buffer.from(chunk));
      return write(chunk);
    };
  });
  await using session = openDevice(service);
  await register(session);
  return [...pieces];
}

test('a damaged session ends in time with a typed error', async () => {
  const pieces = await record();
  expect(pieces.length).toBeGreaterThan(5);
  let reply: readonly Buffer[] = [];
  await using peer = await startTlsPeer((socket) => {
    const rest = [...reply];
    // A piece for every piece, and the rest once the device has nothing to say any more.
    socket.on('data', () => void socket.write(rest.shift() ?? Buffer.concat(rest.splice(0))));
  });
  const bounds = { connectTimeoutMs: 2_000, handshakeTimeoutMs: 60, replyTimeoutMs: 60 };
  const damage = fc.record({
    piece: fc.nat({ max: pieces.length - 1 }),
    at: fc.nat({ max: 400 }),
    value: fc.nat({ max: 255 }),
    kind: fc.constantFrom('change', 'insert', 'cut', 'repeat', 'omit'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
      const damaged = pieces.map((piece) => Buffer.from(piece));
      for (const { piece, at, value, kind } of damages) {
        const bytes = damaged[piece] ?? Buffer.alloc(0);
        const place = at % Math.max(1, bytes.length);
        if (kind === 'change' && bytes.length > 0) bytes[place] = value;
        if (kind === 'insert')
          damaged[piece] = Buffer.concat([bytes.subarray(0, place), Buffer.of(value), bytes.subarray(place)]);
        if (kind === 'cut') damaged[piece] = bytes.subarray(0, place);
        if (kind === 'repeat') damaged[piece] = Buffer.concat([bytes, bytes]);
        if (kind === 'omit') damaged[piece] = Buffer.alloc(0);
      }
      reply = damaged.filter((bytes) => bytes.length > 0);
      const session = openDevice(peer, bounds);
      try {
        await register(session);
      } catch (error) {
        expect(isEndorseError(error), String(error)).toBe(true);
      } finally {
        await session.close();
      }
    }),
    { numRuns: 60 },
  );
  await expect.poll(() => peer.open).toBe(0);
});
