import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Emulator } from '@endorse/emulator';
import { factoryPassword, factoryUser } from './spec.ts';

/** What an operator has in hand before the work begins, as files: nothing of it belongs on a command line. */
export interface SiteFiles {
  /** CA of the emulated service, PEM. */
  readonly caFile: string;
  /** Connection string of its service API. */
  readonly connectionStringFile: string;
  /** Password that every gateway has from the factory. */
  readonly passwordFile: string;
  readonly userName: string;
}

/** Writes them, readable for their owner only. */
export async function writeSiteFiles(folder: string, emulator: Emulator): Promise<SiteFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    // A file that is there keeps its mode; a new one has ours.
    await rm(file, { force: true });
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  return {
    caFile: await write('ca.pem', emulator.caPem),
    connectionStringFile: await write(
      'connection-string',
      `${emulator.serviceConnectionString.revealText()}\n`,
    ),
    passwordFile: await write('gateway-password', `${factoryPassword}\n`),
    userName: factoryUser,
  };
}
