/**
 * Records as text: JSON, with bytes and secrets that come back as what they were.
 *
 *     Uint8Array → { "$": "bytes", "base64": "…" }      Secret → { "$": "secret", "base64": "…" }
 *     an object with a member "$" of its own → { "$": "object", "entries": [[key, value], …] }
 *
 * The text holds keys in clear. It goes into memory, the database and snapshots, nowhere else.
 */
import { Secret } from '@endorse/interface';

/** Turns a record into text. Members that are undefined are left out. */
export function encodeRecord(record: object): string {
  return JSON.stringify(toJson(record));
}

/** Turns text back into the record it was made from. */
export function decodeRecord(text: string): unknown {
  // Not by a reviver, which would be called for every string: most records hold two tagged values.
  return fromJson(JSON.parse(text));
}

function toJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { [tag]: 'bytes', base64: toBase64(value) };
  if (value instanceof Secret) return { [tag]: 'secret', base64: toBase64(value.reveal()) };
  if (Array.isArray(value)) return value.map(toJson);
  const entries = Object.entries(value).map(([key, member]) => [key, toJson(member)] as const);
  return Object.hasOwn(value, tag) ? { [tag]: 'object', entries } : Object.fromEntries(entries);
}

/** Puts back in place what is tagged; the rest stays as it was parsed. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Object.hasOwn(value, tag)) return fromTagged(value as Tagged);
  for (const [key, member] of Object.entries(value)) {
    const restored: unknown = fromJson(member);
    if (restored === member) continue;
    // Assigning to `__proto__` would do something else.
    Object.defineProperty(value, key, {
      value: restored,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return value;
}

type Tagged =
  | { readonly $: 'bytes' | 'secret'; readonly base64: string }
  | { readonly $: 'object'; readonly entries: readonly (readonly [string, unknown])[] };

function fromTagged(tagged: Tagged): unknown {
  switch (tagged.$) {
    case 'bytes':
      return Uint8Array.from(Buffer.from(tagged.base64, 'base64'));
    case 'secret':
      return Secret.fromBytes(Buffer.from(tagged.base64, 'base64'));
    case 'object':
      return Object.fromEntries(tagged.entries.map(([key, member]) => [key, fromJson(member)]));
    default:
      return tagged satisfies never;
  }
}

const tag = '$';

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
