import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { encodeBase64 } from '../json/base64.ts';
import { definedFields, JsonObjectReader } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxRequestBytes, maxTpmPublicBytes } from '../limits.ts';

/** How an enrollment wants its device to prove itself, discriminated by `type`. */
export type AttestationMechanism =
  | { readonly type: 'none' }
  | {
      readonly type: 'tpm';
      /** TPM2B_PUBLIC of the endorsement key. */
      readonly endorsementKey: Uint8Array;
      /** TPM2B_PUBLIC of the storage root key; the service does not compare it. */
      readonly storageRootKey?: Uint8Array;
    }
  | {
      readonly type: 'symmetricKey';
      /** 16 to 64 bytes; the service makes both keys when both are absent. */
      readonly primaryKey?: Secret;
      readonly secondaryKey?: Secret;
    }
  | {
      readonly type: 'x509';
      /** Certificates of the device itself. */
      readonly clientCertificates?: CertificatePair;
      /** Certificates that sign devices. */
      readonly signingCertificates?: CertificatePair;
      /** Names of certificates uploaded to the service. */
      readonly caReferences?: { readonly primary?: string; readonly secondary?: string };
    };

/** A certificate and the one it is being replaced with. */
export interface CertificatePair {
  readonly primary?: EnrolledCertificate;
  readonly secondary?: EnrolledCertificate;
}

/** A certificate of an enrollment. */
export interface EnrolledCertificate {
  /** PEM, or base64 of DER; requests only. */
  readonly certificate?: string;
  /** What the service read from it; answers only. */
  readonly info?: JsonObject;
}

/** Writes the answer to `POST …/attestationmechanism`; it holds the keys in clear. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeAttestationMechanism(attestation: AttestationMechanism): string {
  return formatJson('attestation mechanism', attestationToJson(attestation));
}

/** Reads the answer to `POST …/attestationmechanism`. Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeAttestationMechanism(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): AttestationMechanism {
  return readAttestation(
    JsonObjectReader.parse('attestation mechanism', input, options.maxBytes ?? maxRequestBytes),
  );
}

/** The wire form of an attestation. Internal to the package's encoders. */
export function attestationToJson(attestation: AttestationMechanism): Readonly<Record<string, unknown>> {
  switch (attestation.type) {
    case 'none':
      return { type: 'none' };
    case 'tpm': {
      const { endorsementKey, storageRootKey } = attestation;
      return {
        type: 'tpm',
        tpm: {
          endorsementKey: encodeBase64(tpmPublic('attestation.endorsementKey', endorsementKey)),
          storageRootKey:
            storageRootKey && encodeBase64(tpmPublic('attestation.storageRootKey', storageRootKey)),
        },
      };
    }
    case 'symmetricKey':
      return { type: 'symmetricKey', symmetricKey: symmetricKeysToJson(attestation) };
    case 'x509': {
      const { type, ...x509 } = attestation;
      if (Object.keys(definedFields(x509)).length !== 1) {
        throw new InvalidArgumentError(
          'attestation',
          'must have one of client, signing certificates and CA references',
        );
      }
      return { type, x509 };
    }
    default:
      return unknownType(attestation);
  }
}

/** Reads an attestation from its object. Internal to the package's decoders. */
export function readAttestation(reader: JsonObjectReader): AttestationMechanism {
  const type = reader.requiredString('type', 32);
  // The word is matched without case: .NET services read enumerations that way.
  switch (type.toLowerCase()) {
    case 'none':
      return { type: 'none' };
    case 'tpm': {
      const tpm = reader.requiredReader('tpm');
      return definedFields({
        type: 'tpm' as const,
        endorsementKey: tpm.requiredBytes('endorsementKey', maxTpmPublicBytes),
        storageRootKey: tpm.optionalBytes('storageRootKey', maxTpmPublicBytes),
      }) as AttestationMechanism;
    }
    case 'symmetrickey':
      return readSymmetricKeys(reader.optionalReader('symmetricKey'));
    case 'x509':
      return readX509(reader);
    default:
      throw reader.problem('type', 'must be none, tpm, x509 or symmetricKey', type);
  }
}

type SymmetricKeyAttestation = Extract<AttestationMechanism, { type: 'symmetricKey' }>;
type X509Attestation = Extract<AttestationMechanism, { type: 'x509' }>;

function symmetricKeysToJson({ primaryKey, secondaryKey }: SymmetricKeyAttestation): object {
  if ((primaryKey === undefined) !== (secondaryKey === undefined)) {
    throw new InvalidArgumentError('attestation', 'must have both symmetric keys or none');
  }
  for (const key of [primaryKey, secondaryKey]) {
    if (key !== undefined && (key.byteLength < 16 || key.byteLength > 64)) {
      throw new InvalidArgumentError(
        'attestation',
        'must have symmetric keys of 16 to 64 bytes',
        'ERR_OUT_OF_RANGE',
      );
    }
  }
  const text = (key: Secret | undefined): string | undefined => key && encodeBase64(key.reveal());
  return { primaryKey: text(primaryKey), secondaryKey: text(secondaryKey) };
}

function readSymmetricKeys(reader: JsonObjectReader | undefined): SymmetricKeyAttestation {
  if (reader === undefined) return { type: 'symmetricKey' };
  const read = (name: string): Secret | undefined => {
    const bytes = reader.optionalBytes(name, 64);
    if (bytes !== undefined && bytes.byteLength < 16) throw reader.problem(name, 'must have 16 to 64 bytes');
    return bytes && Secret.fromBytes(bytes);
  };
  const primaryKey = read('primaryKey');
  const secondaryKey = read('secondaryKey');
  if ((primaryKey === undefined) !== (secondaryKey === undefined)) {
    throw reader.problem('primaryKey', 'and secondaryKey must be given together');
  }
  return definedFields({
    type: 'symmetricKey' as const,
    primaryKey,
    secondaryKey,
  }) as SymmetricKeyAttestation;
}

function readX509(reader: JsonObjectReader): X509Attestation {
  const x509 = reader.requiredReader('x509');
  const pair = (name: string): CertificatePair | undefined => {
    const certificates = x509.optionalReader(name);
    return (
      certificates &&
      definedFields({
        primary: readCertificate(certificates.optionalReader('primary')),
        secondary: readCertificate(certificates.optionalReader('secondary')),
      })
    );
  };
  const references = x509.optionalReader('caReferences');
  const kinds = definedFields({
    clientCertificates: pair('clientCertificates'),
    signingCertificates: pair('signingCertificates'),
    caReferences:
      references &&
      definedFields({
        primary: references.optionalString('primary', 1024),
        secondary: references.optionalString('secondary', 1024),
      }),
  });
  if (Object.keys(kinds).length !== 1) {
    throw reader.problem('x509', 'must have one of clientCertificates, signingCertificates and caReferences');
  }
  return { type: 'x509', ...kinds };
}

function readCertificate(reader: JsonObjectReader | undefined): EnrolledCertificate | undefined {
  return (
    reader &&
    definedFields({
      certificate: reader.optionalString('certificate', 32_768),
      info: reader.optionalObject('info'),
    })
  );
}

function tpmPublic(argument: string, bytes: Uint8Array): Uint8Array {
  if (bytes instanceof Uint8Array && bytes.byteLength > 2 && bytes.byteLength <= maxTpmPublicBytes)
    return bytes;
  throw new InvalidArgumentError(argument, `must be a Uint8Array of 3 to ${maxTpmPublicBytes} bytes`);
}

function unknownType(attestation: never): never {
  const { type } = attestation as { readonly type: unknown };
  throw new InvalidArgumentError(
    'attestation.type',
    `must be none, tpm, x509 or symmetricKey, is ${String(type)}`,
  );
}
