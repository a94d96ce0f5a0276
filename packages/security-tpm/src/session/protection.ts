/**
 * What protects the commands of one operation on their way to the TPM and back.
 *
 * `protected`: one HMAC session for the whole operation, salted to a key of the TPM. Authorization values never cross
 * the bus, every command and response is signed, secrets are encrypted. `none`: passwords and secrets in clear, for
 * chips too slow for one more private-key operation.
 */
import { commands, rh, srkTemplateEccP256 } from '@endorse/tpm2';
import type { TpmScope } from '../executor/scope.ts';
import { describeKey } from '../keys/read-key.ts';
import type { Authorization } from './auth-session.ts';
import { startSaltedSession } from './start-session.ts';
import type { SaltKey, StartSessionOptions } from './start-session.ts';

/** How commands are protected on the bus. */
export type SessionMode = 'protected' | 'none';

/** Which parameters of a command are secret. */
export interface ProtectionUse {
  /** The first parameter of the command. */
  readonly encryptCommand?: boolean;
  /** The first parameter of the response. */
  readonly encryptResponse?: boolean;
  /** Nothing follows: the TPM may let go of the session. */
  readonly isLastUse?: boolean;
}

/** Makes the authorizations of one operation. */
export interface Protection {
  /** Authorises the use of an entity with the given authorization value. */
  authorize(authValue: Uint8Array, use?: ProtectionUse): Authorization;
}

/** Passwords in clear; nothing to start and nothing to flush. */
export const noProtection: Protection = Object.freeze({
  authorize: (authValue: Uint8Array): Authorization => ({ kind: 'password', authValue }),
});

/** Starts what `mode` asks for, salted to `saltKey`. */
export async function startProtection(
  scope: TpmScope,
  mode: SessionMode,
  saltKey: SaltKey,
  options: StartSessionOptions,
): Promise<Protection> {
  if (mode === 'none') return noProtection;
  const session = await startSaltedSession(scope, saltKey, options);
  return { authorize: (authValue, use = {}) => ({ kind: 'session', session, authValue, ...use }) };
}

/**
 * The same before there is any key to salt with: to a throw-away P-256 key of the NULL hierarchy, which has no
 * authorization value. It keeps passwords off the bus; who can replace messages could still pose as the TPM.
 */
export async function startBootstrapProtection(
  scope: TpmScope,
  mode: SessionMode,
  options: StartSessionOptions,
): Promise<Protection> {
  if (mode === 'none') return noProtection;
  const created = await scope.execute(
    commands.CreatePrimary,
    { primaryHandle: rh.null, inPublic: srkTemplateEccP256 },
    { signal: options.signal },
  );
  const { handle, area } = describeKey(created.objectHandle, created.outPublic, created.name);
  const protection = await startProtection(scope, mode, { handle, area }, options);
  await scope.flush(handle);
  return protection;
}
