import { InvalidArgumentError } from '@endorse/interface';
import type { RandomSource } from '@endorse/interface';
import type { EmulatorCoreOptions } from '../core/core-options.ts';
import { openDataDirectory } from './data-directory.ts';

/** What an emulator begins with and leaves behind: in a data directory, or for the life of the process. */
export interface EmulatorState {
  /** To go over the options of the core. */
  readonly coreOptions: Pick<EmulatorCoreOptions, 'idScope' | 'policies' | 'store'>;
  /** The ports of the last time, by the listener's name; a listener without one lets the system choose. */
  readonly ports: Readonly<Record<string, number>>;
  /** Writes down the ports for the next time. */
  rememberPorts(ports: Readonly<Record<string, number>>): void;
  /** Lets go of the data directory; harmless when repeated. */
  close(): void;
}

/** Opens what the options name. Throws as `openDataDirectory`, and `ERR_INVALID_ARGUMENT` for a store beside a data directory. */
export function openState(
  options: Pick<EmulatorCoreOptions, 'idScope' | 'policies' | 'store'> & { readonly dataDirectory?: string },
  random: RandomSource,
): EmulatorState {
  const { dataDirectory, store, idScope, policies } = options;
  if (dataDirectory === undefined) return transient;
  if (store !== undefined) {
    throw new InvalidArgumentError('options.dataDirectory', 'cannot be given together with options.store');
  }
  const data = openDataDirectory(
    dataDirectory,
    { ...(idScope === undefined ? {} : { idScope }), ...(policies === undefined ? {} : { policies }) },
    random,
  );
  return {
    coreOptions: { idScope: data.idScope, policies: data.policies, store: data.store },
    ports: data.ports,
    rememberPorts: data.rememberPorts,
    close: data.store.close,
  };
}

const transient: EmulatorState = Object.freeze({
  coreOptions: {},
  ports: {},
  rememberPorts: () => undefined,
  close: () => undefined,
});
