import { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';

/** Reads the variable that `option` names. Undefined without the option; `UsageError` when the variable is not set. */
export function secretFromEnv(
  option: string,
  variable: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Secret | undefined {
  if (variable === undefined) return undefined;
  const value = env[variable];
  // Whoever passes the secret itself must not find it in the error, and so in a log.
  if (!variableName.test(variable) || (value === undefined && keyInBase64.test(variable))) {
    throw new UsageError(`--${option} takes the name of an environment variable, not the secret itself`);
  }
  if (value !== undefined) return Secret.fromText(value);
  throw new UsageError(`--${option} names ${variable}, which is not set`, {
    remedy: `Set ${variable} in the environment of this command.`,
  });
}

/**
 * Reads the key in base64 in the variable that `option` names. Throws `UsageError` when the variable is not set,
 * empty or no base64; its length is the business of the package that uses it.
 */
export function keyFromEnv(
  option: string,
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
): Secret {
  const text = secretFromEnv(option, variable, env);
  try {
    const key = Secret.fromBase64(text?.revealText().trim() ?? '');
    if (key.byteLength > 0) return key;
  } catch {
    // Without the decoder's error as cause: whatever it quotes would be part of a key.
  } finally {
    text?.dispose();
  }
  throw new UsageError(`--${option} names ${variable}, which does not hold a key in base64`, {
    remedy: `Set ${variable} to the key of the enrollment, as the service shows it, and to nothing else.`,
  });
}

const variableName = /^[A-Za-z_]\w{0,63}$/;

/** A key of 18 bytes or more, without padding: could be a name, if names were like that. */
const keyInBase64 = /^(?:[A-Za-z\d]{4}){6,}$/;
