import type { KeyObject } from 'node:crypto';
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { InvalidArgumentError, Secret } from '@endorse/interface';

/** A keyed hash, and which pepper it was made with. */
export interface PepperedHash {
  /** Hex of HMAC-SHA-256. */
  readonly hash: string;
  readonly pepperVersion: number;
}

/** Peppers by version; the highest version makes new hashes, the others still verify old ones. */
export type Peppers = Readonly<Record<number, Secret>>;

/** What a secret is hashed for: hashes of one purpose are worthless for another. */
export type HashPurpose = 'access-secret' | 'proof';

/** Makes and checks keyed hashes of secrets. */
export interface SecretHasher {
  hash(purpose: HashPurpose, secret: Uint8Array): PepperedHash;
  /**
   * Compares in constant time. Without a stored hash it takes the same time and says false, so that nobody learns
   * from the time whether a name exists; false as well for a pepper version that is not configured any more.
   */
  matches(purpose: HashPurpose, secret: Uint8Array, stored: PepperedHash | undefined): boolean;
  /** Version of new hashes. */
  readonly currentVersion: number;
}

/** RFC 2104: a key shorter than the hash weakens it. */
const minPepperBytes = 32;

/**
 * Makes a hasher of peppers.
 *
 * What is hashed are 256 random bits, which nobody guesses: a keyed hash suffices, and costs microseconds where a
 * password hash costs the broker a tenth of a second at every reconnect. The pepper is not in the database, so that a
 * copy of the database is of no use. Throws `ERR_INVALID_ARGUMENT` for no pepper, a version that is no positive
 * integer, and a pepper below 32 bytes.
 */
export function createSecretHasher(peppers: Peppers): SecretHasher {
  const keys = new Map<number, KeyObject>();
  for (const [text, pepper] of Object.entries(peppers)) {
    const version = Number(text);
    if (!Number.isInteger(version) || version < 1 || version > 1_000_000) {
      throw new InvalidArgumentError('peppers', 'must have versions from 1 to 1,000,000');
    }
    if (!(pepper instanceof Secret) || pepper.byteLength < minPepperBytes) {
      throw new InvalidArgumentError(
        `peppers[${version}]`,
        `must be a Secret of at least ${minPepperBytes} bytes`,
      );
    }
    const bytes = pepper.reveal();
    keys.set(version, createSecretKey(bytes));
    bytes.fill(0);
  }
  const currentVersion = Math.max(...keys.keys());
  const currentKey = keys.get(currentVersion);
  if (currentKey === undefined) throw new InvalidArgumentError('peppers', 'must hold at least one pepper');
  const digest = (key: KeyObject, purpose: HashPurpose, secret: Uint8Array): Buffer =>
    createHmac('sha256', key).update(purpose).update('\0').update(secret).digest();
  return {
    currentVersion,
    hash: (purpose, secret) => ({
      hash: digest(currentKey, purpose, secret).toString('hex'),
      pepperVersion: currentVersion,
    }),
    matches: (purpose, secret, stored) => {
      const key = stored === undefined ? undefined : keys.get(stored.pepperVersion);
      const given = digest(key ?? currentKey, purpose, secret);
      const wanted = Buffer.from(stored?.hash ?? dummyHash, 'hex');
      const equal = wanted.byteLength === given.byteLength && timingSafeEqual(given, wanted);
      return equal && key !== undefined;
    },
  };
}

const dummyHash = '00'.repeat(32);
