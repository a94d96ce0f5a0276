import type { JsonValue, RegistrationResult } from '@endorse/interface';
import type { RegisterOptions } from '@endorse/registration-core';
import { parseHostPort, validateIdScope } from '@endorse/protocol';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { createRegistrationReporter } from '../output/registration-reporter.ts';
import { createVerbose } from '../output/verbose.ts';
import { readOptionFile } from './read-file.ts';
import { checkOption } from '../command/check-option.ts';
import { readIdentity } from '../identity/read-identity.ts';
import { openIdentity } from '../identity/open-identity.ts';
import { identityOptions } from './identity-options.ts';
import { carrierNames, loadCarrier, requireAttestation } from '../transport/carriers.ts';
import { tpmOptions } from './tpm-options.ts';

/** `endorse register`: registers this device and, with a TPM, loads the key for its hub into it. */
export const registerCommand: Command = defineCommand({
  path: ['register'],
  summary: 'register this device with a provisioning service',
  description: [
    'Registers this device with a Device Provisioning Service and prints the hub it belongs to. With a TPM, the service wraps a fresh key so that only this TPM can load it; the key never leaves the chip. Keys that the TPM lacks are created on the way, which can take a minute on a chip.',
    'An enrollment has to exist. For a TPM it is an individual one with its endorsement key: endorse tpm info prints the key and the registration id. A device without a TPM has the key of its enrollment, or a key derived from that of its group, in an environment variable, or a certificate and its private key in files; the common name of the certificate is the registration id.',
    'With --state the assignment is kept in a file and used again, so that a device can call this at every boot without wearing its TPM out.',
  ],
  options: {
    host: { type: 'string', value: 'HOST[:PORT]', summary: 'provisioning service', required: true },
    'id-scope': {
      type: 'string',
      value: 'SCOPE',
      summary: 'ID scope of the service instance',
      required: true,
    },
    transport: {
      type: 'string',
      value: 'NAME',
      summary: 'carrier; the service offers TPM attestation over http and amqp only',
      choices: carrierNames,
      default: 'http',
    },
    ...identityOptions,
    ...tpmOptions,
    ca: { type: 'string', value: 'FILE', summary: 'PEM certificates to trust instead of the usual ones' },
    'payload-file': { type: 'string', value: 'FILE', summary: 'JSON for a custom allocation function' },
    'timeout-ms': {
      type: 'integer',
      value: 'N',
      summary: 'longest duration of the whole registration',
      minimum: 1,
      maximum: 86_400_000,
      default: 300_000,
    },
    state: { type: 'string', value: 'FILE', summary: 'file that keeps the assignment' },
    force: { type: 'boolean', summary: 'register even if the state file has an assignment' },
  },
  environment: {
    HTTPS_PROXY: 'proxy to tunnel through',
    NO_PROXY: 'hosts that are reached without it',
    NODE_EXTRA_CA_CERTS: 'file of further certificates to trust',
  },
  examples: [
    {
      line: 'endorse register --host global.azure-devices-provisioning.net --id-scope 0ne000A247E --tpm device:///dev/tpmrm0',
      says: 'register with Azure',
    },
    {
      line: 'endorse register --host localhost:8443 --id-scope 0ne00000000 --ca ./ca/ca.pem --tpm swtpm://127.0.0.1:2321',
      says: 'register a simulated TPM with endorse emulator',
    },
    {
      line: 'endorse register … --transport amqp-ws',
      says: 'through a network that lets nothing but HTTPS out, without HTTP',
    },
    {
      line: 'DEVICE_KEY=… endorse register … --symmetric-key-env DEVICE_KEY --registration-id my-device-1',
      says: 'a device with a symmetric key',
    },
    {
      line: 'endorse register … --x509-cert ./device.pem --x509-key ./device.key',
      says: 'a device with a certificate, whose issuers may be in the same file',
    },
    {
      line: 'OWNER_AUTH=… endorse register … --owner-auth-env OWNER_AUTH --state /var/lib/endorse/state.json --json',
      says: 'a TPM with a password, at boot, for a program to read',
    },
  ],
  exitCodes: { 1: 'the service refused, could not be reached, or the TPM failed' },
  async run(values, context) {
    const identity = readIdentity(values, context.env);
    checkOption('host', () => parseHostPort(values.host));
    checkOption('id-scope', () => validateIdScope(values['id-scope']));
    const payload = readPayload(values['payload-file']);
    const ca = values.ca === undefined ? undefined : readOptionFile('ca', values.ca);
    const verbose = createVerbose(context.output);

    const createTransport = await loadCarrier(values.transport);
    const transport = checkOption('ca', () =>
      createTransport({
        ca,
        proxyFromEnvironment: true,
        userAgent: `endorse-cli/${context.version}`,
        ...verbose.logging,
      }),
    );
    requireAttestation(transport, identity.kind);
    const reporter = createRegistrationReporter(context.output);
    const securityClient = await openIdentity(identity, { signal: context.signal, verbose });
    try {
      const options = {
        provisioningHost: values.host,
        idScope: values['id-scope'],
        transport,
        securityClient,
        payload,
        forceRegistration: values.force,
        deadlineMs: values['timeout-ms'],
        signal: context.signal,
        onProgress: reporter.onProgress,
      };
      printAssignment(await provision(options, values.state, context), context);
      return 0;
    } finally {
      await securityClient[Symbol.asyncDispose]();
    }
  },
});

function readPayload(file: string | undefined): JsonValue | undefined {
  if (file === undefined) return undefined;
  try {
    return JSON.parse(readOptionFile('payload-file', file)) as JsonValue;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--payload-file: ${file} is not JSON`);
  }
}

/** What is printed of an assignment, whether fresh or from the state file. */
type PrintedAssignment = Pick<
  RegistrationResult,
  'assignedHub' | 'deviceId' | 'registrationId' | 'substatus' | 'operationId' | 'payload'
> & { readonly source: 'registered' | 'stored' };

async function provision(
  options: RegisterOptions,
  stateFile: string | undefined,
  context: CommandContext,
): Promise<PrintedAssignment> {
  if (stateFile === undefined) {
    const { register } = await import('@endorse/registration-core');
    return { ...(await register(options)), source: 'registered' };
  }
  const { ensureProvisioned } = await import('@endorse/registration-core/node');
  try {
    return await ensureProvisioned({ ...options, stateFile });
  } catch (error) {
    // Registered, but not stored: the assignment must not be lost with the error.
    if (isUnstored(error)) printAssignment(error.device, context);
    throw error;
  }
}

function isUnstored(error: unknown): error is { readonly device: PrintedAssignment } {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_STATE_WRITE' &&
    'device' in error &&
    error.device !== undefined
  );
}

function printAssignment(assignment: PrintedAssignment, { output }: CommandContext): void {
  const { assignedHub, deviceId, registrationId, substatus, operationId, payload, source } = assignment;
  output.event({
    event: 'assigned',
    source,
    registrationId,
    assignedHub,
    deviceId,
    substatus,
    operationId,
    payload,
  });
  const row = (name: string, value: string | undefined): void => {
    if (value !== undefined) output.result(`${output.style('dim', name.padEnd(16))} ${value}`);
  };
  if (source === 'stored') output.progress('using the assignment in the state file; --force registers anew');
  row('hub', assignedHub);
  row('device id', deviceId);
  row('sub-status', substatus);
  row('registration id', registrationId);
  row('payload', payload === undefined ? undefined : JSON.stringify(payload));
}
