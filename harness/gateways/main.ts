/**
 * `npm run -s gateways`: a LAN full of gateways to try the provisioning utility on, and the service they belong to.
 *
 * Exit codes: 1 something could not be started, 2 usage error, 130 interrupted, which is the ordinary end.
 */
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultDiscoveryPort } from '@endorse/discovery';
import { isEndorseError } from '@endorse/interface';
import type { CarrierName } from '../demo/carriers.ts';
import { carriers } from '../demo/carriers.ts';
import { breakSome, describeFleet } from './fleet-specs.ts';
import type { Site } from './site.ts';
import { startSite } from './site.ts';
import type { SiteFiles } from './site-files.ts';
import { writeSiteFiles } from './site-files.ts';

const usage = `Usage: npm run -s gateways -- [--count N] [--broken N] [--plain] [--directory DIR] [--json]

Simulates gateways on addresses of the loopback network (Linux), and the provisioning
service they are to register with, until Ctrl-C. They answer discovery probes, have the
REST API of their model and a TPM in software, and register when they are told to.

  --count N            how many gateways (20)
  --broken N           how many of them have something wrong with them (0)
  --plain              without the oddities of the field: placeholder serial numbers,
                       a switch that answers too, odd ports, addresses that lead nowhere
  --transport NAME     what they register over: http (the default), amqp or amqp-ws
  --tpm KIND           what their TPMs are: software (the default), or an swtpm each
  --directory DIR      where the CA, the connection string and the password of the
                       gateways are put (.site)
  --discovery-port N   UDP port that they answer on (${defaultDiscoveryPort})
  --json               one JSON object a line instead of text
  --help               this text
`;

interface Settings {
  readonly count: number;
  readonly broken: number;
  readonly plain: boolean;
  readonly carrier: CarrierName;
  readonly tpm: 'software' | 'swtpm';
  readonly directory: string;
  readonly discoveryPort: number;
  readonly json: boolean;
}

async function main(): Promise<number> {
  const settings = parseUsage();
  if (typeof settings === 'number') return settings;
  const { count, broken, plain, json, discoveryPort, carrier, tpm } = settings;
  const print = (event: Readonly<Record<string, unknown>>, text: string): void => {
    process.stdout.write(json ? `${JSON.stringify(event)}\n` : `${text}\n`);
  };
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await using site = await startSite({
      specs: describeFleet({ count, quirks: !plain, faults: breakSome(count, broken) }),
      discoveryPort,
      carrier,
      tpm,
      onEvent: ({ serialNumber }, event) => {
        const { event: name, ...fields } = event;
        const details = Object.entries(fields).map(([key, value]) => `${key}=${value}`);
        print({ serialNumber, ...event }, `${serialNumber} ${[name, ...details].join(' ')}`);
      },
    });
    await site.fleet.keysReady();
    const files = await writeSiteFiles(settings.directory, site.emulator, site.globalEndpoint);
    print({ ...ready(site), ...files }, describe(site, files));
    if (!interrupted.signal.aborted) await once(interrupted.signal, 'abort');
    return 130;
  } catch (error) {
    const { message, remedy } = explain(error);
    process.stderr.write(`${message}${remedy === undefined ? '' : `\n${remedy}`}\n`);
    return 1;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function explain(error: unknown): { readonly message: string; readonly remedy: string | undefined } {
  if (isEndorseError(error)) return { message: error.message, remedy: error.remedy };
  const isAddressMissing = (error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL';
  return {
    message: error instanceof Error ? error.message : String(error),
    remedy: isAddressMissing
      ? 'Only Linux has the whole loopback network: run the simulated gateways there, or in a container.'
      : undefined,
  };
}

function parseUsage(): number | Settings {
  try {
    const { values } = parseArgs({
      options: {
        count: { type: 'string', default: '20' },
        broken: { type: 'string', default: '0' },
        plain: { type: 'boolean', default: false },
        transport: { type: 'string', default: 'http' },
        tpm: { type: 'string', default: 'software' },
        directory: { type: 'string', default: '.site' },
        'discovery-port': { type: 'string', default: String(defaultDiscoveryPort) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    const count = wholeNumber('--count', values.count, 1, 1_000);
    return {
      count,
      broken: wholeNumber('--broken', values.broken, 0, count),
      plain: values.plain,
      carrier: oneOf('--transport', values.transport, Object.keys(carriers) as CarrierName[]),
      tpm: oneOf('--tpm', values.tpm, ['software', 'swtpm'] as const),
      directory: values.directory,
      discoveryPort: wholeNumber('--discovery-port', values['discovery-port'], 1, 65_535),
      json: values.json,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

function oneOf<Name extends string>(flag: string, value: string, allowed: readonly Name[]): Name {
  const found = allowed.find((name) => name === value);
  if (found !== undefined) return found;
  throw new TypeError(`${flag} is ${value}, but it must be one of: ${allowed.join(', ')}`);
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new TypeError(`${flag} is ${text}, but it must be a whole number from ${least} to ${most}`);
}

function ready({ fleet, emulator, discoveryPort, globalEndpoint }: Site): Readonly<Record<string, unknown>> {
  return {
    event: 'ready',
    devices: fleet.gateways.length,
    discoveryPort,
    idScope: emulator.idScope,
    globalEndpoint,
  };
}

function describe({ fleet, emulator, discoveryPort }: Site, files: SiteFiles): string {
  const row = (name: string, value: string): string => `  ${name.padEnd(22)} ${value}`;
  return [
    `${fleet.gateways.length} devices answer on UDP port ${discoveryPort} of the loopback network. Ctrl-C switches them off.`,
    row('provisioning service', emulator.endpoints.http),
    row('ID scope', emulator.idScope),
    row('job', files.jobFile),
    row('CA of the service', files.caFile),
    row('connection string', `in ${files.connectionStringFile}`),
    row('gateways', `user ${files.userName}, password in ${files.passwordFile}`),
    '',
    'Type next, in another terminal:',
    '',
    ...nextCommands(files, discoveryPort),
  ].join('\n');
}

/** The commands that provision this site. */
function nextCommands(files: SiteFiles, discoveryPort: number): readonly string[] {
  const { caFile, connectionStringFile, passwordFile, jobFile } = files;
  const beside = (name: string): string => join(dirname(jobFile), name);
  const access = `--connection-string-file ${connectionStringFile} --ca ${caFile} --factory-password-file ${passwordFile} --pins ${beside('pins')}`;
  const port = discoveryPort === defaultDiscoveryPort ? '' : ` --port ${discoveryPort}`;
  const probePort = discoveryPort === defaultDiscoveryPort ? '' : ` --discovery-port ${discoveryPort}`;
  const plan = beside('plan.json');
  return [
    `discover --loopback${port} --model 'AIG-*' --out ${beside('gateways.csv')}`,
    `plan --inventory ${beside('gateways.csv')} --job ${jobFile} --out ${plan} ${access}`,
    `apply --plan ${plan} ${access}${probePort} --report ${beside('run.md')}`,
  ].map((command) => `  npm run -s endorse -- ${command}`);
}

process.exitCode = await main();
