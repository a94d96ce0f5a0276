import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from '@endorse/interface';
import type { RandomSource } from '@endorse/interface';
import { defaultIdScope } from '../core/core-options.ts';
import { EmulatorError } from '../emulator-error.ts';
import type { AccessPolicy } from '../service-api/access-policies.ts';
import { createOwnerPolicy } from '../service-api/access-policies.ts';
import type { SettingsStore, SqliteStore } from './sqlite-store.ts';
import { openSqliteStore } from './sqlite-store.ts';

/** What an emulator finds again in its data directory. */
export interface DataDirectory {
  readonly store: SqliteStore;
  readonly idScope: string;
  readonly policies: readonly AccessPolicy[];
  /** The ports it listened on the last time, by the listener's name; devices were told them. */
  readonly ports: Readonly<Record<string, number>>;
  /** Writes down the ports for the next time. */
  rememberPorts(ports: Readonly<Record<string, number>>): void;
}

/** What the caller has decided, and does not leave to what is stored. */
export interface DataDirectoryWishes {
  readonly idScope?: string;
  readonly policies?: readonly AccessPolicy[];
}

/**
 * Opens a data directory, or makes one: `emulator.sqlite` with all there is, mode 0600 in a directory of mode 0700,
 * because keys are in it. ID scope and policies are kept from the first start on.
 *
 * Throws `ERR_EMULATOR_DATA_IN_USE`, `ERR_EMULATOR_DATA`, and `ERR_INVALID_ARGUMENT` for another ID scope than it has.
 */
export function openDataDirectory(
  directory: string,
  { idScope, policies }: DataDirectoryWishes,
  random: RandomSource,
): DataDirectory {
  const store = openSqliteStore(prepareFile(directory));
  try {
    const { settings } = store;
    return store.transaction(() => ({
      store,
      idScope: agreeOnScope(directory, settings, idScope),
      policies: policies ?? recallPolicies(settings, random),
      ports: (settings.get('ports') ?? {}) as Readonly<Record<string, number>>,
      rememberPorts: (ports) => settings.set('ports', ports),
    }));
  } catch (error) {
    store.close();
    throw error;
  }
}

function prepareFile(directory: string): string {
  const file = join(directory, 'emulator.sqlite');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // SQLite makes its files with the mode of the first one, which has to be there before it is.
    closeSync(openSync(file, 'a', 0o600));
    return file;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EmulatorError('ERR_EMULATOR_DATA', `cannot use the data directory ${directory}: ${reason}`, {
      cause,
      remedy: 'Name a directory that can be made and written to.',
    });
  }
}

function agreeOnScope(directory: string, settings: SettingsStore, wanted: string | undefined): string {
  const stored = (settings.get('service') as { readonly idScope: string } | undefined)?.idScope;
  if (stored !== undefined && wanted !== undefined && stored.toLowerCase() !== wanted.toLowerCase()) {
    throw new InvalidArgumentError(
      'options.idScope',
      `is ${wanted}, but the data in ${directory} belongs to the ID scope ${stored}; leave it out, or use another directory`,
    );
  }
  const idScope = stored ?? wanted ?? defaultIdScope;
  if (stored === undefined) settings.set('service', { idScope });
  return idScope;
}

function recallPolicies(settings: SettingsStore, random: RandomSource): readonly AccessPolicy[] {
  const stored = settings.get('policies') as { readonly policies: readonly AccessPolicy[] } | undefined;
  if (stored !== undefined) return stored.policies;
  const policies = [createOwnerPolicy(random)];
  settings.set('policies', { policies });
  return policies;
}
