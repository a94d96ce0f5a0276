import type { Secret } from '@endorse/interface';
import { validateRegistrationId } from '@endorse/protocol';
import { checkOption } from '../command/check-option.ts';
import { UsageError } from '../command/usage-error.ts';
import { keyFromEnv, secretFromEnv } from '../commands/secret-from-env.ts';
import { readEkTemplate, readHierarchyAuth, type HierarchyAuth } from '../commands/tpm-options.ts';

/** What the device proves itself with, as the command line says it. */
export type Identity = TpmIdentity | SymmetricKeyIdentity | X509Identity;

/** A TPM. */
export interface TpmIdentity extends HierarchyAuth {
  readonly kind: 'tpm';
  /** Not yet checked: the package that knows addresses is loaded with the TPM. */
  readonly address: string;
  readonly ekTemplate: 'tcg' | 'azure-legacy' | 'ecc';
  /** Default derived from the endorsement key. */
  readonly registrationId: string | undefined;
}

/** A key shared with the service. */
export interface SymmetricKeyIdentity {
  readonly kind: 'symmetric-key';
  readonly registrationId: string;
  readonly key: Secret;
}

/** A certificate and its private key, in PEM files. */
export interface X509Identity {
  readonly kind: 'x509';
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly passphrase: Secret | undefined;
  /** What the common name has to be; default whatever it is. */
  readonly registrationId: string | undefined;
}

/** The options an identity is read from. */
export interface IdentityValues {
  readonly tpm: string | undefined;
  readonly 'symmetric-key-env': string | undefined;
  readonly 'x509-cert': string | undefined;
  readonly 'x509-key': string | undefined;
  readonly 'x509-passphrase-env': string | undefined;
  readonly 'registration-id': string | undefined;
  readonly 'owner-auth-env': string | undefined;
  readonly 'endorsement-auth-env': string | undefined;
  readonly 'ek-template': string;
}

/**
 * Reads the one identity that the options give. Throws `UsageError` for none, for several, and for one that is
 * incomplete; opens nothing.
 */
export function readIdentity(
  values: IdentityValues,
  env: Readonly<Record<string, string | undefined>>,
): Identity {
  const kind = findKind(values);
  const registrationId = values['registration-id'];
  if (registrationId !== undefined) {
    checkOption('registration-id', () => validateRegistrationId(registrationId));
  }
  forbidOptionsOfOthers(values, kind);
  switch (kind) {
    case 'tpm':
      return {
        kind,
        address: values.tpm ?? '',
        ekTemplate: readEkTemplate(values['ek-template']),
        registrationId,
        ...readHierarchyAuth(values, env),
      };
    case 'symmetric-key':
      return readSymmetricKey(values['symmetric-key-env'] ?? '', registrationId, env);
    case 'x509':
      return readX509(values, registrationId, env);
    default:
      return kind satisfies never;
  }
}

type IdentityKind = 'tpm' | 'symmetric-key' | 'x509';

const optionOf: Readonly<Record<IdentityKind, string>> = {
  tpm: '--tpm',
  'symmetric-key': '--symmetric-key-env',
  x509: '--x509-cert',
};

function findKind(values: IdentityValues): IdentityKind {
  const kinds: IdentityKind[] = [];
  if (values.tpm !== undefined) kinds.push('tpm');
  if (values['symmetric-key-env'] !== undefined) kinds.push('symmetric-key');
  if ((values['x509-cert'] ?? values['x509-key']) !== undefined) kinds.push('x509');
  const [kind, ...others] = kinds;
  if (kind === undefined) {
    throw new UsageError('no identity: give --tpm URL, --symmetric-key-env VAR, or --x509-cert FILE', {
      remedy: 'A TPM on Linux: --tpm device:///dev/tpmrm0',
    });
  }
  if (others.length === 0) return kind;
  const given = kinds.map((each) => optionOf[each]).join(' and ');
  throw new UsageError(`${given} exclude each other: a device has one identity`);
}

const secretsOf = {
  tpm: ['owner-auth-env', 'endorsement-auth-env'],
  x509: ['x509-passphrase-env'],
} as const;

/** A password that is not used is a mistake; ignored, it would pass for protection. */
function forbidOptionsOfOthers(values: IdentityValues, kind: IdentityKind): void {
  for (const other of ['tpm', 'x509'] as const) {
    const name = other === kind ? undefined : secretsOf[other].find((each) => values[each] !== undefined);
    if (name !== undefined) {
      throw new UsageError(
        `--${name} belongs to ${optionOf[other]}: it means nothing with ${optionOf[kind]}`,
      );
    }
  }
}

function readSymmetricKey(
  variable: string,
  registrationId: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): SymmetricKeyIdentity {
  if (registrationId === undefined) {
    throw new UsageError('--registration-id is missing: a key does not say whose it is', {
      remedy: 'Give the registration id of the enrollment.',
    });
  }
  const key = keyFromEnv('symmetric-key-env', variable, env);
  return { kind: 'symmetric-key', registrationId, key };
}

function readX509(
  values: IdentityValues,
  registrationId: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): X509Identity {
  const { 'x509-cert': certificateFile, 'x509-key': privateKeyFile } = values;
  if (certificateFile === undefined)
    throw new UsageError('--x509-cert is missing: a key needs its certificate');
  if (privateKeyFile === undefined)
    throw new UsageError('--x509-key is missing: a certificate needs its key');
  const passphrase = secretFromEnv('x509-passphrase-env', values['x509-passphrase-env'], env);
  return { kind: 'x509', certificateFile, privateKeyFile, passphrase, registrationId };
}
