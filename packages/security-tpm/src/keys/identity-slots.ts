/**
 * Where the identity key is kept, so that it is never lost.
 *
 * `alternate` (default): two handles, the primary 0x81000100 and the alternate 0x81000101, and one rule:
 *
 *     the key at the primary handle is the current one; if there is none, the key at the alternate handle is.
 *
 * A new key goes to whichever handle is free, then the old one is removed. The rule needs no state outside the TPM,
 * because each step leaves exactly one answer, and a single NV write switches from the old key to the new one:
 *
 *     old at primary     persist new at alternate (old is current)   remove old (commit: new is current)
 *     old at alternate   persist new at primary (commit: new is current)   remove old (only tidies up)
 *     none               persist new at alternate (commit)
 *
 * So power may fail anywhere. An activation that had not committed leaves the old key working, one that had leaves
 * the new key working; what is left over is removed by the next activation. The order is chosen so that the
 * provisioning service's two activations (a key for the registration, then the key for the hub) end with the hub's
 * key at the primary handle, where every other program looks for it.
 *
 * `in-place`: only the primary handle, for TPMs shared with programs that know no other. The old key is removed
 * first; a failure right then loses it.
 */
import { handles } from '@endorse/tpm2';
import type { KeyedHashPublic, PublicArea } from '@endorse/tpm2';
import { TpmKeyError, formatHandle } from '../errors.ts';
import type { TpmScope } from '../executor/scope.ts';
import { readKey } from './read-key.ts';
import type { LoadedKey } from './read-key.ts';

/** How the identity key is replaced. */
export type IdentityKeyHandles = 'alternate' | 'in-place';

/** The identity key that is in force. */
export interface IdentityKey extends LoadedKey {
  readonly area: KeyedHashPublic;
}

/** What is at the handles. */
export interface IdentitySlots {
  readonly primary: LoadedKey | undefined;
  /** Always undefined for `in-place`. */
  readonly alternate: LoadedKey | undefined;
}

/** Both handles, the primary first. */
export const identityKeyHandles: readonly [primary: number, alternate: number] = Object.freeze([
  handles.identityKey,
  handles.identityKeyAlternate,
]);

/** Reads the handles. */
export async function readIdentitySlots(
  scope: TpmScope,
  strategy: IdentityKeyHandles,
  signal: AbortSignal | undefined,
): Promise<IdentitySlots> {
  const [primary, alternate] = identityKeyHandles;
  return {
    primary: await readKey(scope, primary, signal),
    alternate: strategy === 'alternate' ? await readKey(scope, alternate, signal) : undefined,
  };
}

/** The rule: which key is in force. */
export function currentIdentityKey({ primary, alternate }: IdentitySlots): IdentityKey | undefined {
  if (isIdentityKey(primary)) return primary;
  return isIdentityKey(alternate) ? alternate : undefined;
}

/** Finds the key in force with as few commands as possible. Throws `ERR_TPM_NO_IDENTITY_KEY` when there is none. */
export async function findIdentityKey(
  scope: TpmScope,
  strategy: IdentityKeyHandles,
  signal: AbortSignal | undefined,
): Promise<IdentityKey> {
  const [primaryHandle, alternateHandle] = identityKeyHandles;
  const primary = await readKey(scope, primaryHandle, signal);
  if (isIdentityKey(primary)) return primary;
  const alternate = strategy === 'alternate' ? await readKey(scope, alternateHandle, signal) : undefined;
  if (isIdentityKey(alternate)) return alternate;
  throw new TpmKeyError('ERR_TPM_NO_IDENTITY_KEY', 'the TPM holds no identity key', {
    handle: primaryHandle,
    remedy: 'Register the device: activating the key of the provisioning service creates it.',
  });
}

/** Throws `ERR_TPM_HANDLE_OCCUPIED` when something that is no identity key is at a handle we would have to clear. */
export function checkNotForeign({ primary, alternate }: IdentitySlots): void {
  for (const key of [primary, alternate]) {
    if (key === undefined || isIdentityKey(key)) continue;
    throw new TpmKeyError(
      'ERR_TPM_HANDLE_OCCUPIED',
      `${formatHandle(key.handle)} holds a key of type ${key.area.type} that is no identity key`,
      { handle: key.handle, remedy: 'Move that key, or use identityKeyHandles: in-place.' },
    );
  }
}

function isIdentityKey(key: LoadedKey | undefined): key is IdentityKey {
  return key !== undefined && isHmacKey(key.area);
}

function isHmacKey(area: PublicArea): boolean {
  return area.type === 'keyedHash' && area.scheme?.scheme === 'hmac';
}
