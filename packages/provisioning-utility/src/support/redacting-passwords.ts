import type { PasswordStore } from '../ports.ts';
import type { Redactor } from './redactor.ts';

/** The same store; every password that passes is remembered, so that it is in no message. */
export function redactingPasswords(
  passwords: PasswordStore | undefined,
  redactor: Redactor,
): PasswordStore | undefined {
  if (passwords === undefined) return undefined;
  return {
    get: async (serial) => {
      const stored = await passwords.get(serial);
      for (const { password } of stored) redactor.add(password);
      return stored;
    },
    put: async (serial, password) => {
      redactor.add(password.password);
      await passwords.put(serial, password);
    },
  };
}
