import { maxDigestSize } from '../algorithms.ts';
import { rh } from '../handles.ts';
import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_HierarchyChangeAuth. */
export interface HierarchyChangeAuthRequest {
  /** `rh.owner`, `rh.endorsement`, `rh.lockout` or `rh.platform`. */
  readonly authHandle: number;
  /** The new value; zero bytes at its end do not count. The HMAC of the response is keyed with it. */
  readonly newAuth: Uint8Array;
}

/** TPM2_HierarchyChangeAuth (Part 3, 24.8). */
export const hierarchyChangeAuth: Command<HierarchyChangeAuthRequest, NoFields> = defineCommand({
  name: 'HierarchyChangeAuth',
  code: 0x129,
  timeoutClass: 'nv',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  handles: (request) => [request.authHandle],
  write: (writer, request) => void writer.sized(request.newAuth, 'newAuth', maxDigestSize),
  read: readNothing,
});

/** Parameters of TPM2_Clear. */
export interface ClearRequest {
  /** `rh.lockout` or `rh.platform`. */
  readonly authHandle: number;
}

/** TPM2_Clear (Part 3, 24.6): removes the owner, every key of its hierarchy and all its persistent objects. */
export const clear: Command<ClearRequest, NoFields> = defineCommand({
  name: 'Clear',
  code: 0x126,
  timeoutClass: 'nv',
  handleCount: 1,
  authHandleCount: 1,
  handles: (request) => [request.authHandle],
  read: readNothing,
});

/** Parameters of TPM2_DictionaryAttackLockReset. */
export interface DictionaryAttackLockResetRequest {
  /** Default `rh.lockout`. */
  readonly lockHandle?: number | undefined;
}

/** TPM2_DictionaryAttackLockReset (Part 3, 25.2). */
export const dictionaryAttackLockReset: Command<DictionaryAttackLockResetRequest, NoFields> = defineCommand({
  name: 'DictionaryAttackLockReset',
  code: 0x139,
  timeoutClass: 'nv',
  handleCount: 1,
  authHandleCount: 1,
  handles: (request) => [request.lockHandle ?? rh.lockout],
  read: readNothing,
});
