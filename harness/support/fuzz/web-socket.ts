import { randomBytes } from 'node:crypto';
import type { RecordedSession } from '@endorse/fuzzing';

/** Writes a session as a client of a WebSocket would (RFC 6455): the request to upgrade, then a masked message a piece. */
export function overWebSocket(protocol: string, session: RecordedSession): RecordedSession {
  const upgrade = [
    'GET /$iothub/websocket HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
    '\r\n',
  ].join('\r\n');
  return [Buffer.from(upgrade), ...session.map(messageOf)];
}

function messageOf(piece: Uint8Array): Buffer {
  const header = Buffer.alloc(piece.byteLength < 126 ? 2 : 4);
  // The last and only frame of a binary message.
  header[0] = 0x82;
  header[1] = 0x80 | Math.min(piece.byteLength, 126);
  if (header.length === 4) header.writeUInt16BE(piece.byteLength, 2);
  const mask = randomBytes(4);
  return Buffer.concat([header, mask, piece.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}
