import { InvalidArgumentError, Secret } from '@endorse/interface';

/**
 * Authorization value of a hierarchy: bytes, a secret, or a function that fetches it when it is needed.
 * Zero bytes at its end do not count (Part 1, 11.5).
 */
export type AuthValue = Secret | Uint8Array | (() => AuthValueResult | Promise<AuthValueResult>);

/** What an {@link AuthValue} function may return. */
export type AuthValueResult = Secret | Uint8Array;

/** The largest digest: no hierarchy takes a longer value. */
const maxAuthBytes = 64;

/** Fetches the value as bytes of our own, to be zeroed after use; empty when there is none. */
async function resolveAuthValue(value: AuthValue | undefined, argument: string): Promise<Uint8Array> {
  const fetched = typeof value === 'function' ? await value() : value;
  if (fetched === undefined) return new Uint8Array(0);
  const bytes = fetched instanceof Secret ? fetched.reveal() : copyBytes(fetched, argument);
  let end = bytes.byteLength;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const trimmed = bytes.slice(0, end);
  bytes.fill(0);
  if (end <= maxAuthBytes) return trimmed;
  trimmed.fill(0);
  throw new InvalidArgumentError(argument, `must have at most ${maxAuthBytes} bytes`, 'ERR_OUT_OF_RANGE');
}

/** Throws `ERR_INVALID_ARGUMENT` for what cannot be an authorization value; a function is not called. */
export function checkAuthValue(value: AuthValue | undefined, argument: string): void {
  if (value === undefined || typeof value === 'function') return;
  if (value instanceof Secret || value instanceof Uint8Array) return;
  throw new InvalidArgumentError(argument, 'must be a Secret, a Uint8Array or a function');
}

function copyBytes(value: unknown, argument: string): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  // Another copy of the package may have made the secret.
  const foreign = value as { readonly reveal?: () => Uint8Array } | null;
  if (typeof foreign?.reveal === 'function') return foreign.reveal();
  throw new InvalidArgumentError(argument, 'must be a Secret, a Uint8Array or a function that returns one');
}

/** Both authorization values, as bytes that are zeroed when the user has returned. */
export type WithAuthValues = <T>(use: (values: HierarchyAuthValues) => Promise<T>) => Promise<T>;

/** The authorization values of both hierarchies; empty where there is none. */
export interface HierarchyAuthValues {
  readonly owner: Uint8Array;
  readonly endorsement: Uint8Array;
}

/** Fetches both values each time they are needed, and zeroes them afterwards. */
export function createAuthValues(
  owner: AuthValue | undefined,
  endorsement: AuthValue | undefined,
): WithAuthValues {
  return async (use) => {
    const fetched: Uint8Array[] = [];
    const fetch = async (value: AuthValue | undefined, argument: string): Promise<Uint8Array> => {
      const bytes = await resolveAuthValue(value, argument);
      fetched.push(bytes);
      return bytes;
    };
    try {
      return await use({
        owner: await fetch(owner, 'options.ownerAuth'),
        endorsement: await fetch(endorsement, 'options.endorsementAuth'),
      });
    } finally {
      for (const bytes of fetched) bytes.fill(0);
    }
  };
}
