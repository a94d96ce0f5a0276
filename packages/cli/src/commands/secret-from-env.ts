import { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';

/** Reads the variable that `option` names. Undefined without the option; `UsageError` when the variable is not set. */
export function secretFromEnv(
  option: string,
  variable: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Secret | undefined {
  if (variable === undefined) return undefined;
  // Whoever passes the secret itself must not find it in the error, and so in a log.
  if (!/^[A-Za-z_]\w{0,63}$/.test(variable)) {
    throw new UsageError(`--${option} takes the name of an environment variable, not the secret itself`);
  }
  const value = env[variable];
  if (value !== undefined) return Secret.fromText(value);
  throw new UsageError(`--${option} names ${variable}, which is not set`, {
    remedy: `Set ${variable} in the environment of this command.`,
  });
}
