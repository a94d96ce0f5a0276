import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { guardStream } from '../src/guarded-stream.ts';

test('the fields of a packet leave together', async () => {
  const writes: string[] = [];
  const raw = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, callback) => {
      writes.push(chunk.toString());
      callback();
    },
  });
  const stream = guardStream(
    raw,
    () => undefined,
    () => undefined,
  );
  // As mqtt-packet does.
  stream.cork();
  for (const field of ['type', 'length', 'topic']) stream.write(field);
  await new Promise<void>((resolve) => {
    stream.write('payload', () => resolve());
    process.nextTick(() => stream.uncork());
  });
  expect(writes).toEqual(['typelengthtopicpayload']);
  stream.destroy();
});
