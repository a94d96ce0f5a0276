import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/enrollment-client';
import type { AllocationPolicy, EnrollmentSettings } from '@endorse/protocol';
import { validateDeviceId, validateRegistrationId } from '@endorse/protocol';
import type { JsonObject } from '@endorse/interface';
import { checkOption } from '../../command/check-option.ts';
import { defineCommand, type Command, type CommandContext } from '../../command/command.ts';
import { UsageError } from '../../command/usage-error.ts';
import { keyFileOption, primaryKeyOf, writeKeyFile } from '../../enrollment/key-file.ts';
import { printEnrollment } from '../../enrollment/print-enrollment.ts';
import type { AttestationValues } from '../../enrollment/read-attestation.ts';
import {
  attestationOptions,
  readDeviceAttestation,
  readGroupAttestation,
} from '../../enrollment/read-attestation.ts';
import { openService, serviceEnvironment, serviceOptions } from '../../enrollment/service-options.ts';
import { readOptionFile } from '../read-file.ts';
import { tpmOptions } from '../tpm-options.ts';

/** `endorse enrollment create`: lets a device, or a group of them, register. */
export const enrollmentCreateCommand: Command = defineCommand({
  path: ['enrollment', 'create'],
  summary: 'let a device, or a group of devices, register',
  description: [
    'Creates an enrollment: one device with the endorsement key of its TPM, with symmetric keys or with a certificate; or, with --group-id, every device whose key is derived from the keys of the group or whose certificate it signed. One that exists is left alone, with exit code 3.',
    'The registration id of a TPM is derived from its endorsement key and that of a certificate is its common name, unless --registration-id says otherwise. Symmetric keys are made by the service; --key-file keeps the primary one for the device.',
  ],
  options: {
    'registration-id': {
      type: 'string',
      value: 'ID',
      summary: 'id of the device; needed with a symmetric key',
    },
    'group-id': { type: 'string', value: 'ID', summary: 'make a group of this id instead' },
    ...attestationOptions,
    ...tpmOptions,
    ...keyFileOption,
    'device-id': { type: 'string', value: 'ID', summary: 'id at the hub; the registration id unless given' },
    allocation: {
      type: 'string',
      value: 'POLICY',
      summary: 'how the hub is chosen; as the service has it unless given',
      choices: ['hashed', 'geoLatency', 'static'],
    },
    hub: { type: 'strings', value: 'HOST', summary: 'hub to choose from; every linked one unless given' },
    'twin-file': {
      type: 'string',
      value: 'FILE',
      summary: 'JSON with tags and properties the twin starts with',
    },
    edge: { type: 'boolean', summary: 'the device is an IoT Edge device' },
    disabled: { type: 'boolean', summary: 'do not let it register yet' },
    ...serviceOptions,
  },
  environment: serviceEnvironment,
  examples: [
    { line: 'endorse enrollment create --tpm device:///dev/tpmrm0', says: 'the TPM of this machine' },
    {
      line: 'endorse enrollment create --endorsement-key-file ek.pem --device-id pump-7',
      says: 'a TPM from its delivery note',
    },
    {
      line: 'endorse enrollment create --registration-id my-device --symmetric-key --key-file my-device.key',
      says: 'a device without a TPM',
    },
    {
      line: 'endorse enrollment create --group-id plant-7 --x509-cert intermediate.pem',
      says: 'every device with a certificate below this one',
    },
  ],
  exitCodes: { 1: 'the service refused or cannot be reached, or the TPM failed', 3: 'it exists' },
  async run(values, context) {
    const settings = readSettings(values);
    const { 'key-file': keyFile, 'group-id': groupId } = values;
    if (keyFile !== undefined && !values['symmetric-key'] && values['primary-key-env'] === undefined) {
      throw new UsageError('--key-file goes with a symmetric key');
    }
    const item =
      groupId === undefined
        ? await readDevice(values, settings, context)
        : readGroup(groupId, values, settings, context);
    await using client = await openService(values, context);
    const { signal } = context;
    const created =
      'enrollmentGroupId' in item
        ? await client.enrollmentGroups.create(item, { signal })
        : await client.enrollments.create(item, { signal });
    if (keyFile !== undefined) {
      const mechanism =
        'enrollmentGroupId' in item
          ? await client.enrollmentGroups.getAttestationMechanism(item.enrollmentGroupId, { signal })
          : await client.enrollments.getAttestationMechanism(item.registrationId, { signal });
      writeKeyFile(keyFile, primaryKeyOf(mechanism));
      context.output.progress(`the primary key is in ${keyFile}`);
    }
    printEnrollment(created, context);
    return 0;
  },
});

interface SettingsValues {
  readonly allocation: string | undefined;
  readonly hub: readonly string[];
  readonly 'twin-file': string | undefined;
  readonly edge: boolean;
  readonly disabled: boolean;
}

function readSettings(values: SettingsValues): EnrollmentSettings {
  const { allocation, hub, 'twin-file': twinFile, edge, disabled } = values;
  return {
    ...(allocation === undefined ? {} : { allocationPolicy: allocation as AllocationPolicy }),
    ...(hub.length === 0 ? {} : { iotHubs: hub }),
    ...(twinFile === undefined ? {} : { initialTwin: readTwin(twinFile) }),
    ...(edge ? { capabilities: { iotEdge: true } } : {}),
    ...(disabled ? { provisioningStatus: 'disabled' } : {}),
  };
}

function readTwin(file: string): JsonObject {
  const text = readOptionFile('twin-file', file);
  try {
    const twin: unknown = JSON.parse(text);
    if (typeof twin === 'object' && twin !== null && !Array.isArray(twin)) return twin as JsonObject;
  } catch {
    // Said below; the parser's message may quote the whole file.
  }
  throw new UsageError(`--twin-file: ${file} is not a JSON object`);
}

async function readDevice(
  values: AttestationValues & {
    readonly 'registration-id': string | undefined;
    readonly 'device-id': string | undefined;
  },
  settings: EnrollmentSettings,
  context: CommandContext,
): Promise<IndividualEnrollment> {
  const { attestation, registrationId: ownId } = await readDeviceAttestation(values, context);
  const { 'registration-id': registrationId = ownId, 'device-id': deviceId } = values;
  if (registrationId === undefined) throw new UsageError('--registration-id is needed with this attestation');
  return {
    registrationId: checkOption('registration-id', () => validateRegistrationId(registrationId)),
    attestation,
    ...(deviceId === undefined
      ? {}
      : { deviceId: checkOption('device-id', () => validateDeviceId(deviceId)) }),
    ...settings,
  };
}

function readGroup(
  groupId: string,
  values: AttestationValues & {
    readonly 'registration-id': string | undefined;
    readonly 'device-id': string | undefined;
  },
  settings: EnrollmentSettings,
  context: CommandContext,
): EnrollmentGroup {
  for (const name of ['registration-id', 'device-id', 'tpm', 'endorsement-key-file'] as const) {
    if (values[name] !== undefined) throw new UsageError(`--${name} is for one device, not for --group-id`);
  }
  return {
    enrollmentGroupId: checkOption('group-id', () => validateRegistrationId(groupId)),
    attestation: readGroupAttestation(values, context),
    ...settings,
  };
}
