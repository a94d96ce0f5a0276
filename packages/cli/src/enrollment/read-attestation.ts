import { X509Certificate } from 'node:crypto';
import { InvalidArgumentError } from '@endorse/interface';
import type { AttestationMechanism } from '@endorse/protocol';
import { deriveRegistrationId } from '@endorse/protocol';
import { checkOption } from '../command/check-option.ts';
import type { CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';
import { keyFromEnv } from '../commands/secret-from-env.ts';
import { readEkTemplate, readHierarchyAuth } from '../commands/tpm-options.ts';
import { createVerbose } from '../output/verbose.ts';

/** Options that say how an enrolled device proves itself, exactly one kind; those of a TPM go with them. */
export const attestationOptions = {
  tpm: { type: 'string', value: 'URL', summary: 'TPM whose endorsement key is enrolled' },
  'endorsement-key-file': {
    type: 'string',
    value: 'FILE',
    summary: 'file with the endorsement key: TPM2B_PUBLIC, PEM, certificate, as text or binary',
  },
  'symmetric-key': { type: 'boolean', summary: 'symmetric keys, made by the service' },
  'primary-key-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the primary symmetric key, in base64',
  },
  'secondary-key-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the secondary one',
  },
  'x509-cert': {
    type: 'string',
    value: 'FILE',
    summary: 'PEM certificate: of the device, or for a group of who signs devices',
  },
  'x509-secondary-cert': { type: 'string', value: 'FILE', summary: 'the one that will replace it' },
  'ca-name': {
    type: 'string',
    value: 'NAME',
    summary: 'for a group: name of a CA certificate the service has',
  },
} as const;

/** The values of {@link attestationOptions} and of a TPM. */
export interface AttestationValues {
  readonly tpm: string | undefined;
  readonly 'endorsement-key-file': string | undefined;
  readonly 'symmetric-key': boolean;
  readonly 'primary-key-env': string | undefined;
  readonly 'secondary-key-env': string | undefined;
  readonly 'x509-cert': string | undefined;
  readonly 'x509-secondary-cert': string | undefined;
  readonly 'ca-name': string | undefined;
  readonly 'owner-auth-env': string | undefined;
  readonly 'endorsement-auth-env': string | undefined;
  readonly 'ek-template': string;
}

/** An attestation, and the registration id that goes with it by itself. */
export interface ReadAttestation {
  readonly attestation: AttestationMechanism;
  /** Of the endorsement key or the certificate; symmetric keys have none. */
  readonly registrationId?: string;
}

/** Reads the attestation of one device. Rejects with `UsageError`, or as the TPM does. */
export async function readDeviceAttestation(
  values: AttestationValues,
  context: CommandContext,
): Promise<ReadAttestation> {
  switch (
    readKind(values, ['tpm', 'endorsement-key-file', 'symmetric-key', 'primary-key-env', 'x509-cert'])
  ) {
    case 'tpm':
      return ofEndorsementKey('tpm', await readFromTpm(values, context));
    case 'endorsement-key-file':
      return ofEndorsementKey('endorsement-key-file', readKeyFile(values['endorsement-key-file'] ?? ''));
    case 'x509-cert': {
      const clientCertificates = readCertificates(values);
      const registrationId = commonNameOf(clientCertificates.primary.certificate);
      return {
        attestation: { type: 'x509', clientCertificates },
        ...(registrationId === undefined ? {} : { registrationId }),
      };
    }
    default:
      return { attestation: readSymmetricKeys(values, context) };
  }
}

/** Reads the attestation of a group. Throws `UsageError`. */
export function readGroupAttestation(
  values: AttestationValues,
  context: CommandContext,
): AttestationMechanism {
  switch (readKind(values, ['symmetric-key', 'primary-key-env', 'x509-cert', 'ca-name'])) {
    case 'x509-cert':
      return { type: 'x509', signingCertificates: readCertificates(values) };
    case 'ca-name':
      return { type: 'x509', caReferences: { primary: values['ca-name'] ?? '' } };
    default:
      return readSymmetricKeys(values, context);
  }
}

type Kind = 'tpm' | 'endorsement-key-file' | 'symmetric-key' | 'primary-key-env' | 'x509-cert' | 'ca-name';

function readKind(values: AttestationValues, kinds: readonly Kind[]): Kind {
  const given = kinds.filter((kind) => values[kind] !== undefined && values[kind] !== false);
  const [kind] = given;
  if (kind !== undefined && given.length === 1) return kind;
  const list = kinds.map((name) => `--${name}`).join(', ');
  throw new UsageError(`exactly one of ${list} is needed, to say how the device proves itself`);
}

function readSymmetricKeys(values: AttestationValues, { env }: CommandContext): AttestationMechanism {
  const { 'primary-key-env': primary, 'secondary-key-env': secondary } = values;
  if (primary === undefined) return { type: 'symmetricKey' };
  if (secondary === undefined) {
    throw new UsageError('--primary-key-env needs --secondary-key-env: an enrollment has two keys');
  }
  return {
    type: 'symmetricKey',
    primaryKey: keyFromEnv('primary-key-env', primary, env),
    secondaryKey: keyFromEnv('secondary-key-env', secondary, env),
  };
}

function readCertificates(values: AttestationValues): {
  readonly primary: { readonly certificate: string };
  readonly secondary?: { readonly certificate: string };
} {
  const primary = { certificate: readCertificate('x509-cert', values['x509-cert'] ?? '') };
  const { 'x509-secondary-cert': file } = values;
  if (file === undefined) return { primary };
  return { primary, secondary: { certificate: readCertificate('x509-secondary-cert', file) } };
}

/** The first certificate of a file; one for a device may have its issuers behind it. */
function readCertificate(option: string, file: string): string {
  const [block] = readOptionFile(option, file).match(pemCertificate) ?? [];
  try {
    if (block !== undefined && new X509Certificate(block).raw.byteLength > 0) return block;
  } catch {
    // Said below, for whoever gave the file.
  }
  throw new UsageError(`--${option}: ${file} holds no PEM certificate`);
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;

function commonNameOf(certificate: string): string | undefined {
  return /^CN=(.+)$/m.exec(new X509Certificate(certificate).subject)?.[1];
}

async function ofEndorsementKey(option: string, input: Uint8Array | string): Promise<ReadAttestation> {
  const { tpmEnrollment } = await import('@endorse/enrollment-client');
  const { attestation } = checkOption(option, () => tpmEnrollment({ endorsementKey: input }));
  if (attestation.type !== 'tpm') throw new InvalidArgumentError(option, 'is no endorsement key');
  return { attestation, registrationId: deriveRegistrationId(attestation.endorsementKey) };
}

function readKeyFile(file: string): Uint8Array {
  return Uint8Array.from(Buffer.from(readOptionFile('endorsement-key-file', file, 'latin1'), 'latin1'));
}

async function readFromTpm(values: AttestationValues, context: CommandContext): Promise<Uint8Array> {
  const { tpm = '' } = values;
  const hierarchyAuth = readHierarchyAuth(values, context.env);
  const ekTemplate = readEkTemplate(values['ek-template']);
  const { createTpmSecurityClient, parseTpmAddress } = await import('@endorse/security-tpm');
  checkOption('tpm', () => parseTpmAddress(tpm));
  const { signal } = context;
  const verbose = createVerbose(context.output);
  const options = { tpm, ekTemplate, signal, ...hierarchyAuth, ...verbose.logging, ...verbose.tracing };
  const client = await createTpmSecurityClient(options);
  try {
    return await client.getEndorsementKey({ signal });
  } finally {
    await client.close();
  }
}
