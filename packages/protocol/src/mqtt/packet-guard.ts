import { RemoteProtocolError } from '@endorse/interface';

/** Looks at the next bytes of a stream; throws when they begin a packet that is too large, or none. */
export type PacketGuard = (chunk: Uint8Array) => void;

/**
 * Follows a stream of MQTT packets by their fixed headers (MQTT 3.1.1 section 2.2), so that a packet which announces
 * more than `maxPacketBytes` bytes after its header is refused before anybody collects it.
 *
 * The guard throws `ERR_REMOTE_TOO_LARGE`, or `ERR_REMOTE_MALFORMED` for a length of more than four bytes.
 */
export function createPacketGuard(maxPacketBytes: number): PacketGuard {
  // Bytes of the packet that are still to come; undefined while its length is being read.
  let left: number | undefined = 0;
  let length = 0;
  let lengthBytes = 0;

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (left === undefined) {
        const byte = chunk[at] ?? 0;
        at += 1;
        length += (byte & 0x7f) * 128 ** lengthBytes;
        lengthBytes += 1;
        if (byte > 0x7f && lengthBytes === 4)
          throw broken('ERR_REMOTE_MALFORMED', 'has a length of five bytes');
        if (length > maxPacketBytes) {
          throw broken(
            'ERR_REMOTE_TOO_LARGE',
            `has ${length} bytes or more, above the limit of ${maxPacketBytes}`,
          );
        }
        if (byte <= 0x7f) left = length;
      } else if (left > 0) {
        const taken = Math.min(left, chunk.length - at);
        at += taken;
        left -= taken;
      } else {
        // The type and its flags.
        at += 1;
        left = undefined;
        length = 0;
        lengthBytes = 0;
      }
    }
  };
}

function broken(code: 'ERR_REMOTE_MALFORMED' | 'ERR_REMOTE_TOO_LARGE', problem: string): RemoteProtocolError {
  return new RemoteProtocolError(code, `cannot take in the MQTT packet: it ${problem}`, {
    evidence: { path: 'remaining length' },
  });
}
