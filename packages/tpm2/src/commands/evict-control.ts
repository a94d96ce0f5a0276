import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_EvictControl. */
export interface EvictControlRequest {
  /** Who may persist: `rh.owner` or `rh.platform`. */
  readonly auth: number;
  /** A transient object to persist, or the persistent one to remove. */
  readonly objectHandle: number;
  /** Where to persist it; the same as `objectHandle` to remove. */
  readonly persistentHandle: number;
}

/** TPM2_EvictControl (Part 3, 28.5): persists or removes a key. Wears NV memory. */
export const evictControl: Command<EvictControlRequest, NoFields> = defineCommand({
  name: 'EvictControl',
  code: 0x120,
  timeoutClass: 'nv',
  handleCount: 2,
  authHandleCount: 1,
  handles: (request) => [request.auth, request.objectHandle],
  write: (writer, request) => void writer.u32(request.persistentHandle, 'persistentHandle'),
  read: readNothing,
});
