import { headerBytes } from './tpm-device.ts';

/** Total size of the response at the start of `received`; undefined before its header is there. Throws when it is none. */
export function responseFrameBytes(received: Uint8Array, maxFrameBytes: number): number | undefined {
  if (received.byteLength < headerBytes) return undefined;
  const size = readUint32(received, 2);
  if (size < headerBytes || size > maxFrameBytes) throw new Error(`response of ${size} bytes`);
  return size;
}

/** Big-endian u32 at `offset`. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

/** Big-endian u32 values in a row. */
export function uint32Bytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(index * 4, value));
  return bytes;
}
