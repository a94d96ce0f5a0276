import { readFileSync } from 'node:fs';

/** Reads one of the JSON files in `vectors/`; each names where its figures come from. The caller says its shape. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'));
}

/** Bytes from hex. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** Bytes from base64. */
export function base64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** The made-up endorsement key of `vectors/identities.json`, as TPM2B_PUBLIC. */
export function syntheticEndorsementKey(headerHex: string): Uint8Array {
  const middle = Array.from({ length: 254 }, (_, index) => (7 * (index + 1) + 3) % 256);
  return Uint8Array.of(...hex(headerHex), 0xc0, ...middle, 0x01);
}

/** Runs `action` and returns what it throws; fails when it throws nothing. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
