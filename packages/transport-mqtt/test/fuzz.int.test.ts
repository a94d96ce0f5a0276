/**
 * Whatever a service sends, a request ends in time, with an answer or a typed error, and lets go of its socket. The
 * bytes are those of a good session, damaged, and of no session at all.
 */
import type { TLSSocket } from 'node:tls';
import { isEndorseError } from '@endorse/interface';
import * as fc from 'fast-check';
import { startTlsPeer } from '@endorse/testkit';
import { expect, test } from 'vitest';
import { openDevice, register } from './support/device.ts';
import type { Script } from './support/scripted-service.ts';
import { answerTo, startService } from './support/scripted-service.ts';

/** What the service writes in a good session, piece by piece. */
async function record(): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = [];
  const script: Script = { publish: (packet, { send }) => send(answerTo(packet)) };
  await using service = await startService(script, (socket: TLSSocket) => {
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

test('a damaged session, or none, ends in time with a typed error', async () => {
  const pieces = await record();
  expect(pieces).toHaveLength(3);
  let reply: readonly Buffer[] = [];
  await using peer = await startTlsPeer((socket) => {
    const rest = [...reply];
    // A piece for every piece, and the rest once the device has nothing to say any more.
    socket.on('data', () => void socket.write(rest.shift() ?? Buffer.concat(rest.splice(0))));
  });
  const bounds = { connectTimeoutMs: 5_000, handshakeTimeoutMs: 40, replyTimeoutMs: 40 };
  const damage = fc.record({
    piece: fc.nat({ max: pieces.length - 1 }),
    at: fc.nat({ max: 200 }),
    value: fc.nat({ max: 255 }),
    kind: fc.constantFrom('change', 'insert', 'cut', 'repeat', 'omit'),
  });
  const damaged = fc.array(damage, { minLength: 1, maxLength: 4 }).map((damages) => {
    const copies = pieces.map((piece) => Buffer.from(piece));
    for (const { piece, at, value, kind } of damages) {
      const bytes = copies[piece] ?? Buffer.alloc(0);
      const place = at % Math.max(1, bytes.length);
      if (kind === 'change' && bytes.length > 0) bytes[place] = value;
      if (kind === 'insert') {
        copies[piece] = Buffer.concat([bytes.subarray(0, place), Buffer.of(value), bytes.subarray(place)]);
      }
      if (kind === 'cut') copies[piece] = bytes.subarray(0, place);
      if (kind === 'repeat') copies[piece] = Buffer.concat([bytes, bytes]);
      if (kind === 'omit') copies[piece] = Buffer.alloc(0);
    }
    return copies.filter((bytes) => bytes.length > 0);
  });
  const noise = fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 3, arbitrary: damaged }, { weight: 1, arbitrary: noise }),
      async (bytes) => {
        reply = bytes;
        const session = openDevice(peer, bounds);
        try {
          await register(session);
        } catch (error) {
          expect(isEndorseError(error), String(error)).toBe(true);
        } finally {
          await session.close();
        }
      },
    ),
    { numRuns: 80 },
  );
  await expect.poll(() => peer.open).toBe(0);
});
