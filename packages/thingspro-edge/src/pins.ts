import { InvalidArgumentError } from '@endorse/interface';
import { parseFingerprint } from './fingerprint.ts';

/**
 * Remembers which certificates are trusted for which gateway.
 *
 * A name is the serial number or `host:port`, compared without regard to case. Usually it has one fingerprint; while a
 * certificate is being replaced it has two, so that a crash in between locks nobody out.
 */
export interface PinStore {
  /** The fingerprints trusted for `name`, none when it is unknown. */
  get(name: string): Promise<readonly string[]>;
  /** Trusts exactly these fingerprints for `name`; resolves once that survives a crash. An empty list forgets it. */
  set(name: string, fingerprints: readonly string[]): Promise<void>;
}

/**
 * Keeps pins in memory: for tests, and for pins that an application stores in its own way.
 *
 * Throws `ERR_INVALID_ARGUMENT` for a name or fingerprint that cannot be one.
 */
export function createMemoryPins(known: Readonly<Record<string, string | readonly string[]>> = {}): PinStore {
  const pins = new Map(
    Object.entries(known).map(([name, fingerprints]) => [
      checkPinName(name),
      checkFingerprints(typeof fingerprints === 'string' ? [fingerprints] : fingerprints),
    ]),
  );
  return {
    get: async (name) => pins.get(checkPinName(name)) ?? [],
    set: async (name, fingerprints) => {
      const checked = checkFingerprints(fingerprints);
      if (checked.length === 0) pins.delete(checkPinName(name));
      else pins.set(checkPinName(name), checked);
    },
  };
}

/** The form in which names are kept: lower case. Throws `ERR_INVALID_ARGUMENT` for what has no place in a pins file. */
export function checkPinName(name: string, argument = 'pinName'): string {
  if (typeof name === 'string' && /^[\x21-\x7e]{1,255}$/.test(name) && !name.startsWith('#')) {
    return name.toLowerCase();
  }
  throw new InvalidArgumentError(
    argument,
    'must have 1 to 255 printable ASCII characters, and no # in front',
  );
}

/** Normal forms, each once. */
export function checkFingerprints(fingerprints: readonly string[]): readonly string[] {
  return [...new Set(fingerprints.map((fingerprint) => parseFingerprint(fingerprint)))];
}
