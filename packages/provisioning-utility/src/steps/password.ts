import type { RandomSource } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { GatewaySession } from '@endorse/thingspro-edge';
import type { PasswordStore, StoredPassword } from '../ports.ts';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/**
 * Gives the gateway a password of its own. The store has it before the gateway does, so that it is never lost; one that
 * an interrupted run left there is used. A gateway that has its own already is left alone.
 *
 * @example
 * ```js
 * import { systemRandom as random } from '@endorse/interface/node';
 * import { ensureOwnPassword, openPasswordsFile } from '@endorse/provisioning-utility';
 *
 * export async function rotate(session, serial, current) {
 *   const passwords = openPasswordsFile('passwords.jsonl');
 *   const signal = AbortSignal.timeout(30_000);
 *   return ensureOwnPassword({ session, serial, passwords, current, random, signal });
 * }
 * ```
 */
export async function ensureOwnPassword(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'changePassword' | 'user'>;
    readonly serial: string;
    readonly passwords: PasswordStore;
    /** Password the session was opened with. */
    readonly current: Secret;
    readonly random: RandomSource;
  },
): Promise<StepOutcome> {
  const { session, serial, passwords, current, random, signal, onWrite } = options;
  const { name } = session.user;
  const [newest] = await passwords.get(serial);
  if (newest?.state === 'set') return { result: 'unchanged', detail: 'has its own password' };
  if (newest !== undefined && newest.password.fingerprint === current.fingerprint) {
    // We are signed in with it: the gateway took it, only the answer was lost.
    await passwords.put(serial, { ...newest, state: 'set' });
    return { result: 'changed', detail: 'has its own password' };
  }
  const pending: StoredPassword = newest ?? { name, password: generatePassword(random), state: 'pending' };
  if (newest === undefined) await passwords.put(serial, pending);
  await onWrite?.('change the password');
  await session.changePassword({ newPassword: pending.password, oldPassword: current }, { signal });
  await passwords.put(serial, { ...pending, state: 'set' });
  return { result: 'changed', detail: 'has its own password' };
}

/** No letters that look like digits: somebody may have to type it. */
const letters = 'abcdefghijkmnpqrstuvwxyz';
const capitals = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const digits = '23456789';
const marks = '-_.+=';
const alphabet = letters + capitals + digits + marks;
/** 24 characters of 60 are 141 bits. */
const passwordLength = 24;

/** A password of 24 characters that every usual policy takes: letters of both cases, digits, marks. */
export function generatePassword(random: RandomSource): Secret {
  for (;;) {
    let text = '';
    while (text.length < passwordLength) {
      // Bytes above the largest multiple would make some characters likelier.
      for (const byte of random.bytes(32)) {
        if (byte < 256 - (256 % alphabet.length) && text.length < passwordLength) {
          text += alphabet[byte % alphabet.length] ?? '';
        }
      }
    }
    const sets = [letters, capitals, digits, marks];
    if (sets.every((set) => text.split('').some((sign) => set.includes(sign)))) return Secret.fromText(text);
  }
}
