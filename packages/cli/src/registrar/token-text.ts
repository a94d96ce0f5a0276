import { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';
import { secretFromEnv } from '../commands/secret-from-env.ts';

/** Options that hand in a token: never on the command line, where every process could read it. */
export const tokenTextOptions = {
  'token-env': { type: 'string', value: 'VAR', summary: 'environment variable with the registration token' },
  'token-file': { type: 'string', value: 'FILE', summary: 'file with the registration token' },
} as const;

/** Reads the token. Undefined when no option names one. Throws `UsageError` when both do. */
export function readTokenText(
  values: { readonly 'token-env': string | undefined; readonly 'token-file': string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Secret | undefined {
  const file = values['token-file'];
  const fromEnv = secretFromEnv('token-env', values['token-env'], env);
  if (fromEnv !== undefined && file !== undefined) {
    throw new UsageError('--token-env and --token-file are two tokens; give one');
  }
  if (file !== undefined) return Secret.fromText(readOptionFile('token-file', file).trim());
  return fromEnv === undefined ? undefined : Secret.fromText(fromEnv.revealText().trim());
}

/** Reads the token that has to be there. Throws `UsageError` when none is named. */
export function requireTokenText(
  values: { readonly 'token-env': string | undefined; readonly 'token-file': string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Secret {
  const token = readTokenText(values, env);
  if (token !== undefined) return token;
  throw new UsageError('no token given', { remedy: 'Name it with --token-file FILE or --token-env VAR.' });
}
