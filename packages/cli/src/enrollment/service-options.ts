import type { EnrollmentClient } from '@endorse/enrollment-client';
import { Secret } from '@endorse/interface';
import { checkOption } from '../command/check-option.ts';
import type { CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';
import { secretFromEnv } from '../commands/secret-from-env.ts';
import { createVerbose } from '../output/verbose.ts';

/** Options of every command that speaks to the service API. */
export const serviceOptions = {
  'connection-string-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the connection string of the service API',
    default: 'ENDORSE_CONNECTION_STRING',
  },
  'connection-string-file': {
    type: 'string',
    value: 'FILE',
    summary: 'file with the connection string, instead of the variable',
  },
  ca: { type: 'string', value: 'FILE', summary: 'PEM certificates to trust instead of the usual ones' },
} as const;

/** Environment variables that every such command honours, for its help. */
export const serviceEnvironment: Readonly<Record<string, string>> = Object.freeze({
  ENDORSE_CONNECTION_STRING: 'connection string of the service API, unless an option says where it is',
  HTTPS_PROXY: 'proxy to tunnel through',
  NO_PROXY: 'hosts that are reached without it',
});

/** What {@link openService} needs to know. */
export interface ServiceValues {
  readonly 'connection-string-env': string;
  readonly 'connection-string-file': string | undefined;
  readonly ca: string | undefined;
}

/** Makes a client of the service API. Rejects with `UsageError` for a connection string that is missing or unusable. */
export async function openService(
  values: ServiceValues,
  { env, version, output }: CommandContext,
): Promise<EnrollmentClient> {
  const file = values['connection-string-file'];
  const option = file === undefined ? 'connection-string-env' : 'connection-string-file';
  const connectionString = file === undefined ? fromEnv(values, env) : fromFile(file);
  const ca = values.ca === undefined ? undefined : readOptionFile('ca', values.ca);
  const { createEnrollmentClient } = await import('@endorse/enrollment-client');
  try {
    return checkOption(option, () =>
      createEnrollmentClient({
        connectionString,
        ca,
        proxyFromEnvironment: true,
        userAgent: `endorse-cli/${version}`,
        ...createVerbose(output).logging,
      }),
    );
  } finally {
    connectionString.dispose();
  }
}

function fromEnv(
  { 'connection-string-env': variable }: ServiceValues,
  env: Readonly<Record<string, string | undefined>>,
): Secret {
  const secret = secretFromEnv('connection-string-env', variable, env);
  if (secret !== undefined) return secret;
  throw new UsageError('the connection string of the service API is missing');
}

function fromFile(file: string): Secret {
  return Secret.fromText(readOptionFile('connection-string-file', file).trim());
}
