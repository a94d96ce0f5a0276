import type { TpmInfo } from '@endorse/security-tpm';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import { createVerbose } from '../output/verbose.ts';
import { checkOption } from '../command/check-option.ts';
import { readEkTemplate, readHierarchyAuth, tpmOptions } from './tpm-options.ts';

/** `endorse tpm info`: prints what an enrollment of this TPM needs. */
export const tpmInfoCommand: Command = defineCommand({
  path: ['tpm', 'info'],
  summary: 'print the keys and the registration id of a TPM',
  description: [
    'Prints what an enrollment needs, the endorsement key and the registration id derived from it, and what the TPM is. Keys are base64 of TPM2B_PUBLIC, as the service wants them.',
    'A TPM without an endorsement key or storage root key gets them: they are created and persisted at 0x81010001 and 0x81000001, which needs the passwords of the hierarchies, where they have one, and can take a minute on a chip.',
  ],
  options: {
    tpm: {
      type: 'string',
      value: 'URL',
      summary: 'TPM to ask, for example device:///dev/tpmrm0',
      required: true,
    },
    ...tpmOptions,
  },
  examples: [
    { line: 'endorse tpm info --tpm device:///dev/tpmrm0', says: 'the TPM of this machine' },
    { line: 'endorse tpm info --tpm swtpm://127.0.0.1:2321 --json', says: 'a simulator, for a program' },
    {
      line: 'OWNER_AUTH=… endorse tpm info --tpm device:///dev/tpmrm0 --owner-auth-env OWNER_AUTH',
      says: 'a TPM whose owner set a password',
    },
  ],
  exitCodes: { 1: 'the TPM cannot be reached or refused' },
  async run(values, context) {
    const hierarchyAuth = readHierarchyAuth(values, context.env);
    const ekTemplate = readEkTemplate(values['ek-template']);
    const { createTpmSecurityClient, parseTpmAddress, readEndorsementCertificates, tpmInfo } =
      await import('@endorse/security-tpm');
    checkOption('tpm', () => parseTpmAddress(values.tpm));
    const { signal } = context;
    const verbose = createVerbose(context.output);
    const client = await createTpmSecurityClient({
      tpm: values.tpm,
      ekTemplate,
      signal,
      ...hierarchyAuth,
      ...verbose.logging,
      ...verbose.tracing,
    });
    try {
      await client.getEndorsementKey({ signal });
      await client.getStorageRootKey({ signal });
      const info = await tpmInfo(client.executor, { ekTemplate, signal });
      const certificates = await readEndorsementCertificates(client.executor, { signal });
      print(
        info,
        certificates.map(({ nvIndex }) => formatHandle(nvIndex)),
        context,
      );
      return 0;
    } finally {
      await client.close();
    }
  },
});

function print(info: TpmInfo, certificateIndices: readonly string[], { output }: CommandContext): void {
  const facts = {
    registrationId: info.registrationId,
    endorsementKey: base64(info.endorsementKey),
    storageRootKey: base64(info.storageRootKey),
    endorsementKeyName: info.endorsementKeyName && Buffer.from(info.endorsementKeyName).toString('hex'),
    manufacturer: info.manufacturer,
    vendor: info.vendor,
    firmwareVersion: info.firmwareVersionText,
    specificationRevision: info.specificationRevision,
    identityKeyHandle:
      info.identityKeyHandle === undefined ? undefined : formatHandle(info.identityKeyHandle),
    persistentHandles: info.persistentHandles.map(formatHandle),
    endorsementCertificates: certificateIndices,
    inLockout: info.inLockout,
  };
  output.event({ event: 'tpm-info', ...facts });
  const row = (name: string, value: string | undefined): void =>
    output.result(
      `${output.style('dim', name.padEnd(20))} ${value === undefined || value === '' ? 'none' : value}`,
    );
  row('registration id', facts.registrationId);
  row('endorsement key', facts.endorsementKey);
  row('its Name', facts.endorsementKeyName);
  row('storage root key', facts.storageRootKey);
  row('manufacturer', [facts.manufacturer, facts.vendor].join(' ').trim());
  row('firmware', facts.firmwareVersion);
  row('specification', facts.specificationRevision);
  row('identity key', facts.identityKeyHandle);
  row('persistent handles', facts.persistentHandles.join(', '));
  row('EK certificates', facts.endorsementCertificates.join(', '));
  if (facts.inLockout) row('state', output.style('red', 'locked out after too many wrong passwords'));
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('base64');
}

function formatHandle(handle: number): string {
  return `0x${handle.toString(16).padStart(8, '0')}`;
}
