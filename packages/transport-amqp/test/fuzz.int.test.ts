/**
 * Whatever a service sends, a request ends in time, with an answer or a typed error, and lets go of its socket. The
 * bytes are those of a good session of bare rhea, damaged.
 */
import type { TLSSocket } from 'node:tls';
import { isEndorseError } from '@endorse/interface';
import { createFuzzGroup, mutatedSession } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import { startTlsPeer } from '@endorse/testkit';
import { afterAll, expect, test } from 'vitest';
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

const group = createFuzzGroup('transport-amqp', [{ name: 'transport-amqp' }]);

/** Least number of sessions. */
const batchRuns = 60;

test.each(group.targets)(
  'a damaged session, or none, ends in time with a typed error',
  async (target) => {
    const pieces = await record();
    expect(pieces.length).toBeGreaterThan(5);
    let reply: readonly Uint8Array[] = [];
    await using peer = await startTlsPeer((socket) => {
      const rest = [...reply];
      // A piece for every piece, and the rest once the device has nothing to say any more.
      socket.on('data', () => void socket.write(rest.shift() ?? Buffer.concat(rest.splice(0))));
    });
    const bounds = { connectTimeoutMs: 5_000, handshakeTimeoutMs: 60, replyTimeoutMs: 60 };
    const property = fc.asyncProperty(mutatedSession([pieces]), async (bytes) => {
      reply = bytes;
      const session = openDevice(peer, bounds);
      try {
        await register(session);
      } catch (error) {
        expect(isEndorseError(error), String(error)).toBe(true);
      } finally {
        await session.close();
      }
    });
    await group.run(target, batchRuns, property);
    await expect.poll(() => peer.open).toBe(0);
  },
  group.timeoutMs,
);

afterAll(() => group.report());
