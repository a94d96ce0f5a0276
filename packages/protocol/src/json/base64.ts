/** Decodes canonical, padded, standard base64; undefined for anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what it does not know, so only a text that comes out the same went in whole.
  return bytes.toString('base64') === text ? Uint8Array.from(bytes) : undefined;
}

/** Encodes as padded, standard base64. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
