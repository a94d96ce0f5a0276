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
  /** What the gateways shall become, for `endorse plan --job`. */
  readonly jobFile: string;
  /** Password that every gateway has from the factory. */
  readonly passwordFile: string;
  readonly userName: string;
}

/** Writes them, readable for their owner only. `globalEndpoint` is what gateways are told, if not the HTTPS one. */
export async function writeSiteFiles(
  folder: string,
  emulator: Emulator,
  globalEndpoint: string = emulator.endpoints.http,
): Promise<SiteFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // What a run on an earlier site left: its certificates and keys exist no more.
  for (const name of ['gateways.csv', 'pins', 'plan.json', 'plan.journal.jsonl', 'run.md']) {
    await rm(join(folder, name), { force: true });
  }
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    // A file that is there keeps its mode; a new one has ours.
    await rm(file, { force: true });
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  return {
    caFile: await write('ca.pem', emulator.caPem),
    jobFile: await write('job.yaml', describeJob(emulator, globalEndpoint)),
    connectionStringFile: await write(
      'connection-string',
      `${emulator.serviceConnectionString.revealText()}\n`,
    ),
    passwordFile: await write('gateway-password', `${factoryPassword}\n`),
    userName: factoryUser,
  };
}

function describeJob({ provisioningHost, idScope }: Emulator, globalEndpoint: string): string {
  return `# What every gateway of the site shall become.
service:
  endpoint: ${provisioningHost}
  policyName: provisioningserviceowner
  idScope: ${idScope}
  globalEndpoint: ${globalEndpoint}
enrollment:
  iotEdge: true
configure:
  time: true
  ssh: false
  serialConsole: false
  discovery: false
verify:
  timeoutSeconds: 30
  pauseSeconds: 1
`;
}
