import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { guardSocket } from '../src/guarded-socket.ts';

test('frames that are written at a time leave together, the next ones by themselves', async () => {
  const writes: string[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, callback) => {
      writes.push(chunk.toString());
      callback();
    },
    writev: (chunks, callback) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join('+'));
      callback();
    },
  });
  const socket = guardSocket(stream, { onViolation: () => undefined, onClose: () => undefined });
  for (const frame of ['open', 'begin', 'attach']) socket.write(Buffer.from(frame));
  expect(writes).toEqual([]);
  await new Promise((resolve) => process.nextTick(resolve));
  expect(writes).toEqual(['open+begin+attach']);

  socket.write(Buffer.from('transfer'));
  socket.end();
  await new Promise((resolve) => process.nextTick(resolve));
  expect(writes).toEqual(['open+begin+attach', 'transfer']);
  stream.destroy();
});
