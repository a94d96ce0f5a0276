/**
 * What can be done after a response code:
 * - `none`: nothing; the same command fails again.
 * - `resend`: send identical bytes again, soon; the TPM did not execute the command and no nonce has rolled.
 * - `back-off`: wait tenths of a second to seconds, then send identical bytes again.
 * - `free-memory`: flush objects or sessions that we own, then send again, once.
 * - `start-up`: the TPM needs `Startup`; only when we own the power of the TPM (simulators).
 * - `wait-for-lockout`: dictionary-attack lockout; only time or the lockout authority ends it.
 */
export type TpmRetryAdvice = 'none' | 'resend' | 'back-off' | 'free-memory' | 'start-up' | 'wait-for-lockout';

/** One row of the tables: number inside its range, the name without `TPM_RC_`, meaning, remedy, advice. */
export type ResponseCodeRow<Name extends string> = readonly [
  number: number,
  name: Name,
  meaning: string,
  remedy: string,
  retry?: TpmRetryAdvice,
];
