import type { Logger } from '@endorse/interface';
import { handles, rh, commands } from '@endorse/tpm2';
import type { TpmScope } from '../executor/scope.ts';
import type { Authorization } from '../session/auth-session.ts';
import {
  checkNotForeign,
  currentIdentityKey,
  identityKeyHandles,
  readIdentitySlots,
} from './identity-slots.ts';
import type { IdentityKeyHandles, IdentitySlots } from './identity-slots.ts';
import type { LoadedKey } from './read-key.ts';

/** The new key, loaded but not yet persistent. */
export type FreshKey = Pick<LoadedKey, 'handle' | 'name'>;

/** What replacing the identity key needs. */
export interface ReplaceContext {
  readonly strategy: IdentityKeyHandles;
  /** Takes effect until the switch begins; then the switch is finished, or undone. */
  readonly signal: AbortSignal | undefined;
  readonly logger: Logger;
  /** The owner's authorization, from the session of the operation. */
  readonly authorizeOwner: () => Authorization;
  /** The same from a new session: after a lost answer, nobody knows the nonces of the old one. */
  readonly authorizeOwnerAnew: () => Promise<Authorization>;
}

/**
 * Makes `fresh` the identity key; see `identity-slots.ts` for the rule. When it rejects, the key that was in force
 * before still is, wherever the TPM can still be reached (`in-place` excepted). A key that is in force already costs no
 * NV write.
 */
export async function replaceIdentityKey(
  scope: TpmScope,
  fresh: FreshKey,
  context: ReplaceContext,
): Promise<void> {
  const before = await readIdentitySlots(scope, context.strategy, context.signal);
  checkNotForeign(before);
  const old = currentIdentityKey(before);
  const leftover = old === before.primary ? before.alternate : undefined;
  if (leftover !== undefined) {
    // An earlier activation was interrupted.
    context.logger.log('warn', 'tpm-identity-key-leftover-removed', { handle: leftover.handle });
    await evict(scope, leftover, leftover.handle, context.authorizeOwner());
  }
  if (old !== undefined && sameName(old, fresh)) return;
  context.signal?.throwIfAborted();
  switch (context.strategy) {
    case 'alternate':
      return switchAlternating(scope, fresh, old, context);
    case 'in-place':
      return switchInPlace(scope, fresh, old, context);
    default:
      return unreachable(context.strategy);
  }
}

async function switchAlternating(
  scope: TpmScope,
  fresh: FreshKey,
  old: LoadedKey | undefined,
  context: ReplaceContext,
): Promise<void> {
  const [primary, alternate] = identityKeyHandles;
  const target = old?.handle === alternate ? primary : alternate;
  try {
    await evict(scope, fresh, target, context.authorizeOwner());
    context.signal?.throwIfAborted();
    if (old !== undefined) await evict(scope, old, old.handle, context.authorizeOwner());
  } catch (error) {
    if (!(await undoOrFinish(scope, fresh, target, old, context))) throw error;
  }
}

/** After a failed switch: true when it turned out to be complete, false when the old key is in force. */
async function undoOrFinish(
  scope: TpmScope,
  fresh: FreshKey,
  target: number,
  old: LoadedKey | undefined,
  context: ReplaceContext,
): Promise<boolean> {
  let after: IdentitySlots;
  try {
    after = await readIdentitySlots(scope, context.strategy, undefined);
  } catch {
    // Out of reach: whatever the TPM did, the rule finds one of the two keys.
    return false;
  }
  const slots = [after.primary, after.alternate];
  const arrived = slots.find((key) => key !== undefined && key.handle === target && sameName(key, fresh));
  if (arrived === undefined) return false;
  const oldRemains = slots.some((key) => key !== undefined && key.handle === old?.handle);
  // The answer to the last command was lost, but the command was executed.
  if (old !== undefined && !oldRemains) return true;
  try {
    await evict(scope, arrived, target, await context.authorizeOwnerAnew());
    return false;
  } catch (error) {
    context.logger.log('warn', 'tpm-identity-key-left-over', { handle: target, error: String(error) });
    const current = currentIdentityKey(after);
    return current !== undefined && sameName(current, fresh);
  }
}

async function switchInPlace(
  scope: TpmScope,
  fresh: FreshKey,
  old: LoadedKey | undefined,
  context: ReplaceContext,
): Promise<void> {
  if (old !== undefined) await evict(scope, old, old.handle, context.authorizeOwner());
  try {
    await evict(scope, fresh, handles.identityKey, context.authorizeOwner());
  } catch (error) {
    // The old key is gone: the only key there is must not be given up for one lost answer.
    const { primary } = await readIdentitySlots(scope, context.strategy, undefined);
    if (primary !== undefined && sameName(primary, fresh)) return;
    context.logger.log('warn', 'tpm-identity-key-persisted-again', { error: String(error) });
    await evict(scope, fresh, handles.identityKey, await context.authorizeOwnerAnew());
  }
}

/** Persists a loaded object, or removes a persistent one. Not abortable: a lost answer would have to be looked up. */
async function evict(
  scope: TpmScope,
  key: FreshKey,
  persistentHandle: number,
  authorization: Authorization,
): Promise<void> {
  await scope.execute(
    commands.EvictControl,
    { auth: rh.owner, objectHandle: key.handle, persistentHandle },
    { authorizations: [authorization], names: new Map([[key.handle, key.name]]) },
  );
}

function sameName(left: FreshKey, right: FreshKey): boolean {
  return Buffer.from(left.name).equals(right.name);
}

function unreachable(strategy: never): never {
  throw new TypeError(`unknown strategy ${String(strategy)}`);
}
