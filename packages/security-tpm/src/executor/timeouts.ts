import type { TimeoutClass } from '@endorse/tpm2';

/**
 * How long a command of each class may take, in milliseconds from its submission.
 *
 * Far above what chips need (a key generation alone may take minutes), because giving up costs the connection.
 */
export const commandTimeoutsMs: Readonly<Record<TimeoutClass, number>> = Object.freeze({
  metadata: 5000,
  session: 10_000,
  privateKey: 30_000,
  nv: 30_000,
  selfTest: 30_000,
  keyGeneration: 300_000,
});
