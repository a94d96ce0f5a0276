/** How gateways are reached and signed in to: trust, passwords, certificates. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret, silentLogger } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import type { EnrollmentClient } from '@endorse/enrollment-client';
import type { CredentialPolicy, FindCertificate, ProvisioningPorts } from '@endorse/provisioning-utility';
import type { GatewayTrust } from '@endorse/thingspro-edge';
import type { CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';
import { createVerbose } from '../output/verbose.ts';
import type { SecretOptions } from './secret-source.ts';
import { readSecret, secretOptions } from './secret-source.ts';

/** Where the password of the gateways comes from. */
export const passwordOptions: SecretOptions<'password'> = secretOptions(
  'password',
  'the password of that account',
);

/** Where the password comes from that gateways have when nobody set one. */
export const factoryPasswordOptions: SecretOptions<'factory-password'> = secretOptions(
  'factory-password',
  'the password gateways have from the works',
);

/** Options that say how gateways are reached, and how many at once. */
export const gatewayOptions = {
  user: { type: 'string', value: 'NAME', summary: 'account on the gateways', default: 'admin' },
  passwords: {
    type: 'string',
    value: 'FILE',
    summary: 'passwords of single gateways, read and written; needed to rotate them',
  },
  'accept-eula': { type: 'boolean', summary: "accept the vendor's licence agreement at the first sign-in" },
  trust: {
    type: 'string',
    value: 'MODE',
    summary: 'which certificates of gateways to trust',
    choices: ['strict', 'trust-on-first-use', 'ca'],
    default: 'trust-on-first-use',
  },
  pins: {
    type: 'string',
    value: 'FILE',
    summary: 'trusted certificates by serial',
    default: 'gateway-pins.txt',
  },
  'gateway-ca': {
    type: 'string',
    value: 'FILE',
    summary: 'with --trust ca: who signs certificates of gateways',
  },
  certificates: {
    type: 'string',
    value: 'DIR',
    summary: 'certificates to give them: SERIAL.crt and SERIAL.key, in PEM',
  },
  'discovery-port': {
    type: 'integer',
    value: 'N',
    minimum: 1,
    maximum: 65_535,
    default: 40_404,
    summary: 'UDP port to probe a closed discovery door on',
  },
  concurrency: {
    type: 'integer',
    value: 'N',
    minimum: 1,
    maximum: 256,
    default: 8,
    summary: 'gateways at once',
  },
  'calls-per-minute': {
    type: 'integer',
    value: 'N',
    minimum: 1,
    maximum: 100_000,
    default: 600,
    summary: 'most calls to the service a minute',
  },
} as const;

/** What {@link openPorts} reads of the options. */
export interface GatewayValues {
  readonly user: string;
  readonly passwords: string | undefined;
  readonly 'accept-eula': boolean;
  readonly trust: string;
  readonly pins: string;
  readonly 'gateway-ca': string | undefined;
  readonly certificates: string | undefined;
  readonly 'discovery-port': number;
}

/** Reads the passwords a run may use. Throws `UsageError`. */
export async function readCredentials(
  values: GatewayValues & Readonly<Record<string, unknown>>,
  context: CommandContext,
): Promise<CredentialPolicy> {
  const password = await readSecret('password', `password of ${values.user}`, values, context);
  const factory = await readSecret('factory-password', 'factory password', values, context);
  return {
    supplied: password === undefined ? undefined : { name: values.user, password },
    factoryDefault: factory === undefined ? undefined : { name: values.user, password: factory },
    acceptEula: values['accept-eula'],
  };
}

/** Makes the ports of a run. */
export async function openPorts(
  values: GatewayValues,
  enrollments: EnrollmentClient,
  { output }: CommandContext,
): Promise<ProvisioningPorts> {
  const { createGatewayClient, openPinsFile } = await import('@endorse/thingspro-edge');
  const { discoveryProbe, openPasswordsFile } = await import('@endorse/provisioning-utility');
  const trust = readTrust(values, openPinsFile);
  const { logger = silentLogger } = createVerbose(output).logging;
  return {
    openGateway: ({ serial, host, port, basePath, announcedFingerprint }) =>
      createGatewayClient({
        host,
        port,
        trust,
        pinName: serial,
        logger,
        ...(basePath === undefined ? {} : { basePath }),
        ...(announcedFingerprint === undefined ? {} : { announcedFingerprint }),
      }),
    enrollments,
    clock: systemClock,
    random: systemRandom,
    logger,
    probe: discoveryProbe({ port: values['discovery-port'] }),
    passwords: values.passwords === undefined ? undefined : openPasswordsFile(values.passwords),
    findCertificate: values.certificates === undefined ? undefined : certificatesIn(values.certificates),
  };
}

function readTrust(
  { trust, pins, 'gateway-ca': caFile }: GatewayValues,
  openPinsFile: (path: string) => Extract<GatewayTrust, { mode: 'strict' }>['pins'],
): GatewayTrust {
  if (trust !== 'ca') {
    if (caFile !== undefined) throw new UsageError('--gateway-ca goes with --trust ca');
    return { mode: trust === 'strict' ? 'strict' : 'trust-on-first-use', pins: openPinsFile(pins) };
  }
  if (caFile === undefined) throw new UsageError('--trust ca needs --gateway-ca');
  return { mode: 'ca', ca: readOptionFile('gateway-ca', caFile) };
}

function certificatesIn(directory: string): FindCertificate {
  return async (serial) => {
    // A serial is what a device says; it must not lead out of the directory.
    if (!/^[\w-]{1,128}$/.test(serial)) return undefined;
    try {
      const [certificatePem, key] = await Promise.all([
        readFile(join(directory, `${serial}.crt`), 'utf8'),
        readFile(join(directory, `${serial}.key`)),
      ]);
      const privateKeyPem = Secret.fromBytes(key);
      key.fill(0);
      return { certificatePem, privateKeyPem };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  };
}
