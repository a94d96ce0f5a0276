/**
 * Whatever a device sends over AMQP, its connection ends or goes on, the emulator lives, and nothing of it is left. The
 * bytes are those of a good session of bare rhea with SASL PLAIN, damaged.
 */
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import rhea from 'rhea';
import { expect, test } from 'vitest';
import type { Emulator } from '../src/index.ts';
import { startEmulator } from '../src/index.ts';
import { connectAmqp, mechanism } from './support/amqp-client.ts';
import { deviceToken } from './support/software-tpm.ts';

const registrationId = 'fuzzed';

/** How long a device waits for the emulator before it goes on without an answer. */
const patienceMs = 15;

function open(emulator: Emulator): Promise<TLSSocket> {
  const { port } = new URL(emulator.endpoints.amqp);
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca: emulator.caPem,
  });
  socket.on('error', () => undefined);
  return once(socket, 'secureConnect').then(() => socket);
}

/** What a good client writes, piece by piece, in a session that registers. */
async function record(emulator: Emulator): Promise<readonly Buffer[]> {
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  const { idScope, caPem: ca } = emulator;
  const key = primaryKey.reveal();
  const token = await deviceToken({ idScope, registrationId, key, expiresAt: Date.now() + 600_000 });
  const address = `${idScope}/registrations/${registrationId}`;
  const pieces: Buffer[] = [];
  const mechanisms = { PLAIN: mechanism(Buffer.from(`\0${address}\0${token}`)) };
  const onWrite = (chunk: Buffer): void => void pieces.push(chunk);
  await using client = await connectAmqp({ url: emulator.endpoints.amqp, ca, mechanisms, onWrite });
  const links = await client.attach(address);
  await links.request({
    application_properties: { 'iotdps-operation-type': 'iotdps-register' },
    body: rhea.message.data_section(Buffer.from('{}')) as unknown,
  });
  return [...pieces];
}

test('a damaged session harms nobody', async () => {
  await using emulator = await startEmulator();
  const pieces = await record(emulator);
  expect(pieces.length).toBeGreaterThan(5);
  const damage = fc.record({
    piece: fc.nat({ max: pieces.length - 1 }),
    at: fc.nat({ max: 500 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    kind: fc.constantFrom('change', 'insert', 'cut', 'repeat'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
      const damaged = pieces.map((piece) => Buffer.from(piece));
      for (const { piece, at, bytes, kind } of damages) {
        const whole = damaged[piece] ?? Buffer.alloc(0);
        const place = at % Math.max(1, whole.length);
        const [before, after] = [whole.subarray(0, place), whole.subarray(place)];
        if (kind === 'change') damaged[piece] = Buffer.concat([before, bytes, after.subarray(bytes.length)]);
        if (kind === 'insert') damaged[piece] = Buffer.concat([before, bytes, after]);
        if (kind === 'cut') damaged[piece] = before;
        if (kind === 'repeat') damaged[piece] = Buffer.concat([whole, whole]);
      }
      const socket = await open(emulator);
      const rest = damaged.filter((each) => each.length > 0);
      // A piece whenever the emulator has said something, as a client would, or when it seems to say no more.
      const next = (): void => {
        clearTimeout(timer);
        timer = setTimeout(next, patienceMs);
        const piece = rest.shift();
        if (piece === undefined) socket.end();
        else socket.write(piece);
      };
      let timer = setTimeout(next, 0);
      socket.on('data', next);
      const closed = once(socket, 'close').finally(() => clearTimeout(timer));
      await closed;
    }),
    { numRuns: 80 },
  );
  // A well-behaved device still gets what it wants, and nobody else is there any more.
  await record(emulator);
});
