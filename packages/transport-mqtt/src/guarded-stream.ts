import { Duplex } from 'node:stream';
import type { InboundGuard } from './inbound-guard.ts';

/**
 * The stream that mqtt.js works on: what comes goes through a guard first. `onFailure` hears what the guard says, or
 * what broke the connection; after that, nothing more comes.
 */
export function guardStream(raw: Duplex, guard: InboundGuard, onFailure: (error: Error) => void): Duplex {
  const stream = new Duplex({
    read: () => void raw.resume(),
    write: (chunk: Buffer, _encoding, callback) => void raw.write(chunk, callback),
    // mqtt.js writes a packet field by field: together they are one TLS record, or one WebSocket message.
    writev: (fields, callback) =>
      void raw.write(Buffer.concat(fields.map(({ chunk }) => chunk as Buffer)), callback),
    final: (callback) => void raw.end(callback),
    destroy: (_error, callback) => {
      raw.destroy();
      // Its errors have been told already, and mqtt.js has nothing to add.
      callback(null);
    },
  });
  raw.on('data', (chunk: Buffer) => {
    try {
      guard(chunk);
    } catch (error) {
      onFailure(error as Error);
      stream.destroy();
      return;
    }
    if (!stream.push(chunk)) raw.pause();
  });
  raw.on('error', onFailure);
  raw.once('end', () => stream.push(null));
  raw.once('close', () => stream.destroy());
  return stream;
}
