import type { DeviceCredentials, DeviceProgress } from '@endorse/dynamic-registration/client';
import type { TpmSecurityClientHandle } from '@endorse/security-tpm';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import { checkOption } from '../command/check-option.ts';
import { createVerbose } from '../output/verbose.ts';
import { requireTokenText, tokenTextOptions } from '../registrar/token-text.ts';
import { readOptionFile } from './read-file.ts';
import { readEkTemplate, readHierarchyAuth, tpmOptions } from './tpm-options.ts';

/** `endorse self-register`: what a device does at every boot. */
export const selfRegisterCommand: Command = defineCommand({
  path: ['self-register'],
  summary: 'register this device with a registration token, or find that it is',
  description: [
    'What the firmware of a device does at every boot: credentials in the state file are used, others are asked for at the address in the token. A proof is on the disk before the first request, so that a lost reply or a power loss costs nothing: run it again.',
    'The secret goes to the state file (mode 0600) and is not printed. With --tpm it crosses the wire in a form that only this TPM can open.',
  ],
  options: {
    ...tokenTextOptions,
    'manufacturer-id': {
      type: 'string',
      value: 'ID',
      summary: 'what this device is known by, for example its serial number',
      required: true,
    },
    state: {
      type: 'string',
      value: 'FILE',
      summary: 'file that keeps the credentials',
      default: './credentials.json',
    },
    url: { type: 'string', value: 'URL', summary: 'where to register; default the address in the token' },
    ca: { type: 'string', value: 'FILE', summary: 'PEM file of the CA to trust; default the system’s' },
    'plain-http': { type: 'boolean', summary: 'allow http and mqtt to this machine itself' },
    tpm: { type: 'string', value: 'URL', summary: 'TPM of this device' },
    ...tpmOptions,
    'timeout-ms': {
      type: 'integer',
      value: 'N',
      summary: 'how long to try',
      minimum: 1_000,
      maximum: 604_800_000,
      default: 900_000,
    },
  },
  examples: [
    {
      line: 'endorse self-register --token-file token.txt --manufacturer-id SN-000042 --ca ./endorse-registrar/ca.pem',
      says: 'with a registrar of this machine',
    },
    {
      line: 'TOKEN=… endorse self-register --token-env TOKEN --manufacturer-id SN-000042 --tpm device:///dev/tpmrm0',
      says: 'bound to the TPM of this machine',
    },
  ],
  exitCodes: { 1: 'the registrar refused, or did not answer in time' },
  async run(values, context) {
    const token = requireTokenText(values, context.env);
    const ca = values.ca === undefined ? undefined : readOptionFile('ca', values.ca);
    const hierarchyAuth = readHierarchyAuth(values, context.env);
    const ekTemplate = readEkTemplate(values['ek-template']);
    const { ensureRegistered } = await import('@endorse/dynamic-registration/client');
    const tpm = await openTpm(values.tpm, { ekTemplate, ...hierarchyAuth }, context);
    try {
      const credentials = await ensureRegistered({
        token,
        manufacturerId: values['manufacturer-id'],
        stateFile: values.state,
        allowPlainHttp: values['plain-http'],
        deadlineMs: values['timeout-ms'],
        signal: context.signal,
        onProgress: (progress) => report(progress, context),
        ...(values.url === undefined ? {} : { url: values.url }),
        ...(ca === undefined ? {} : { ca }),
        ...(tpm === undefined ? {} : { tpm }),
      });
      print(credentials, values.state, context);
    } finally {
      await tpm?.close();
    }
    return 0;
  },
});

async function openTpm(
  address: string | undefined,
  options: ReturnType<typeof readHierarchyAuth> & { readonly ekTemplate: ReturnType<typeof readEkTemplate> },
  { signal, output }: CommandContext,
): Promise<TpmSecurityClientHandle | undefined> {
  if (address === undefined) return undefined;
  const { createTpmSecurityClient, parseTpmAddress } = await import('@endorse/security-tpm');
  checkOption('tpm', () => parseTpmAddress(address));
  const verbose = createVerbose(output);
  return createTpmSecurityClient({
    tpm: address,
    signal,
    ...options,
    ...verbose.logging,
    ...verbose.tracing,
  });
}

function report(progress: DeviceProgress, { output }: CommandContext): void {
  const { event, ...fields } = progress;
  output.event({ event, ...fields });
  const details = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  output.progress([event.replaceAll('-', ' '), ...details].join(' '));
}

function print(credentials: DeviceCredentials, stateFile: string, { output }: CommandContext): void {
  const { deviceId, accessKey, broker, source } = credentials;
  output.event({ event: 'registered', source, deviceId, accessKey, broker: broker ?? null, stateFile });
  const row = (name: string, value: string): void =>
    output.result(`${output.style('dim', name.padEnd(12))} ${value}`);
  output.result(
    output.style(
      'green',
      source === 'stored' ? 'This device was registered already.' : 'This device is registered.',
    ),
  );
  row('device id', deviceId);
  row('access key', accessKey);
  row('secret', `in ${stateFile}`);
  row('broker', broker ?? 'unknown');
}
