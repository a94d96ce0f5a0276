import { join } from 'node:path';
import type { RegistrationStore } from '@endorse/dynamic-registration/store';
import { UsageError } from '../command/usage-error.ts';
import { keyFromEnv, secretFromEnv } from '../commands/secret-from-env.ts';
import { dataFiles, openPepper } from './data-directory.ts';

/** Options of every command that uses the store of a registrar. */
export const storeOptions = {
  data: {
    type: 'string',
    value: 'DIR',
    summary: 'directory of the registrar: database, keys, CA',
    default: './endorse-registrar',
  },
  'database-url-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the URL of a PostgreSQL database, which several registrars can share',
  },
  'pepper-env': {
    type: 'string',
    value: 'VAR',
    summary:
      'environment variable with the key of the hashes, base64 of 32 bytes or more; default a file in --data',
  },
} as const;

/** What {@link openRegistrarStore} reads. */
export interface StoreValues {
  readonly data: string;
  readonly 'database-url-env': string | undefined;
  readonly 'pepper-env': string | undefined;
}

/** Opens the store that the options name. Throws `UsageError` for unusable options, rejects with `ERR_STORE_…`. */
export async function openRegistrarStore(
  values: StoreValues,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RegistrationStore> {
  const url = secretFromEnv('database-url-env', values['database-url-env'], env);
  const pepperVariable = values['pepper-env'];
  if (url !== undefined && pepperVariable === undefined) {
    throw new UsageError(
      '--database-url-env needs --pepper-env: every registrar on one database has the same key',
      {
        remedy: 'Make one with `openssl rand -base64 32` and keep it apart from the database.',
      },
    );
  }
  const pepper =
    pepperVariable === undefined ? openPepper(values.data) : keyFromEnv('pepper-env', pepperVariable, env);
  const { openPostgresql, openSqlite, openStore } = await import('@endorse/dynamic-registration/store');
  const database =
    url === undefined
      ? await openSqlite(join(values.data, dataFiles.database))
      : await openPostgresql({ url, driver: () => import('pg') });
  try {
    return await openStore({ database, peppers: { 1: pepper } });
  } catch (error) {
    await database.close();
    throw error;
  }
}
