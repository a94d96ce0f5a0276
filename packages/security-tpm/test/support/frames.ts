/** Hand-written commands and responses, so that device tests do not lean on the codec. */

/** TPM2_GetRandom(4). */
export const getRandom4: Uint8Array = Uint8Array.from(Buffer.from('80010000000c0000017b0004', 'hex'));

/** A response that carries nothing but a response code. */
export function responseOf(responseCode: number, body: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(10 + body.byteLength);
  frame.writeUInt16BE(0x8001, 0);
  frame.writeUInt32BE(frame.byteLength, 2);
  frame.writeUInt32BE(responseCode, 6);
  frame.set(body, 10);
  return frame;
}

/** Command code of a command frame. */
export function commandCodeOf(frame: Uint8Array): number {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).readUInt32BE(6);
}
