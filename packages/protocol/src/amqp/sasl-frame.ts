import { LocalProtocolError } from '@endorse/interface';

/** Largest SASL frame, in bytes: nobody has agreed on more before `open`. AMQP 1.0 part 5.3.1. */
export const maxSaslFrameBytes = 512;

/**
 * Checks that an initial response fits the frame of its `sasl-init`, which then has no room for a host name.
 * Throws `ERR_LOCAL_UNENCODABLE`: a longer one would have to be cut into pieces, which no service takes.
 */
export function checkSaslInitialResponse(mechanism: string, response: Uint8Array): Uint8Array {
  const frameBytes = overheadOf(mechanism) + response.byteLength;
  if (frameBytes <= maxSaslFrameBytes) return response;
  throw unencodable(`the initial response of the SASL mechanism ${mechanism}`, frameBytes);
}

/** Checks that a response fits the frame of its `sasl-response`. Throws `ERR_LOCAL_UNENCODABLE`. */
export function checkSaslResponse(response: Uint8Array): Uint8Array {
  const frameBytes = frameHeaderBytes + performativeBytes + binaryHeaderBytes + response.byteLength;
  if (frameBytes <= maxSaslFrameBytes) return response;
  throw unencodable('the SASL response', frameBytes);
}

// Eight bytes before the frame's body; then the descriptor (00 53 41) and a list32 with size and count.
const frameHeaderBytes = 8;
const performativeBytes = 3 + 9;
/** A binary32: its constructor and its size. */
const binaryHeaderBytes = 5;
/** One byte for the host name that is left out. */
const noHostnameBytes = 1;

function overheadOf(mechanism: string): number {
  const symbolBytes = 2 + mechanism.length;
  return frameHeaderBytes + performativeBytes + symbolBytes + binaryHeaderBytes + noHostnameBytes;
}

function unencodable(what: string, frameBytes: number): LocalProtocolError {
  return new LocalProtocolError(
    'ERR_LOCAL_UNENCODABLE',
    `${what} needs a frame of ${frameBytes} bytes, and SASL frames have at most ${maxSaslFrameBytes}`,
    { remedy: 'Use a shorter registration id, or the HTTP transport, which has no such limit.' },
  );
}
