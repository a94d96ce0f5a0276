import { timingSafeEqual } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { AttestationMechanism } from '@endorse/protocol';
import { findStorageKeyProblem } from '../core/activation.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import {
  completeCertificates,
  findClientCertificatesFault,
  findSigningCertificatesFault,
  isSameCertificates,
  withoutCertificates,
} from './certificate-rules.ts';

/** Adds what the service adds: keys where none were given, what stands in certificates. An enrollment that has keys keeps them. */
export function completeAttestation(
  given: AttestationMechanism,
  existing: AttestationMechanism | undefined,
  random: RandomSource,
): AttestationMechanism {
  if (given.type === 'x509') return completeCertificates(given, existing);
  if (given.type !== 'symmetricKey') return given;
  if (given.primaryKey !== undefined || given.secondaryKey !== undefined) return given;
  // A client that reads an enrollment gets no keys; writing it back must not lock the device out.
  if (existing?.type === 'symmetricKey') return existing;
  const freshKey = (): Secret => Secret.fromBytes(random.bytes(maxKeyBytes));
  return { type: 'symmetricKey', primaryKey: freshKey(), secondaryKey: freshKey() };
}

/** Why an individual enrollment cannot have this attestation; undefined when it can. */
export function findIndividualAttestationFault(attestation: AttestationMechanism): ServiceFault | undefined {
  if (attestation.type === 'symmetricKey') return findKeyFault(attestation);
  if (attestation.type === 'x509') return findClientCertificatesFault(attestation);
  if (attestation.type !== 'tpm') return unsupported(attestation, 'tpm, symmetricKey and x509');
  const problem = findStorageKeyProblem(attestation.endorsementKey);
  if (problem !== undefined) return faults.endorsementKey(problem);
  const { storageRootKey } = attestation;
  const otherProblem = storageRootKey && findStorageKeyProblem(storageRootKey);
  return otherProblem === undefined ? undefined : faults.storageRootKey(otherProblem);
}

/** Why an enrollment group cannot have this attestation; undefined when it can. */
export function findGroupAttestationFault(
  attestation: AttestationMechanism,
  isUploaded: (caName: string) => boolean,
): ServiceFault | undefined {
  if (attestation.type === 'symmetricKey') return findKeyFault(attestation);
  if (attestation.type === 'x509') return findSigningCertificatesFault(attestation, isUploaded);
  return unsupported(attestation, 'groups of symmetricKey and x509');
}

/** What `attestationmechanism` and the answer to a write tell: keys, but no certificates. */
export function withKeys(attestation: AttestationMechanism): AttestationMechanism {
  return attestation.type === 'x509' ? withoutCertificates(attestation) : attestation;
}

/** What anyone who may read an enrollment sees: no keys either. */
export function withoutKeys(attestation: AttestationMechanism): AttestationMechanism {
  if (attestation.type === 'x509') return withoutCertificates(attestation);
  return attestation.type === 'symmetricKey' ? { type: 'symmetricKey' } : attestation;
}

/** True when what a device proved under one attestation still stands under the other. */
export function isSameAttestation(left: AttestationMechanism, right: AttestationMechanism): boolean {
  if (left.type === 'tpm' && right.type === 'tpm') {
    return Buffer.from(left.endorsementKey).equals(right.endorsementKey);
  }
  if (left.type === 'x509' && right.type === 'x509') return isSameCertificates(left, right);
  if (left.type !== 'symmetricKey' || right.type !== 'symmetricKey') return false;
  return (
    isSameSecret(left.primaryKey, right.primaryKey) && isSameSecret(left.secondaryKey, right.secondaryKey)
  );
}

const minKeyBytes = 16;
const maxKeyBytes = 64;

function findKeyFault({
  primaryKey,
  secondaryKey,
}: Extract<AttestationMechanism, { type: 'symmetricKey' }>): ServiceFault | undefined {
  if (primaryKey === undefined || secondaryKey === undefined) {
    return faults.invalidArgument(
      'Symmetric keys are invalid.',
      'primaryKey and secondaryKey must be given together',
    );
  }
  const good = [primaryKey, secondaryKey].every(
    ({ byteLength }) => byteLength >= minKeyBytes && byteLength <= maxKeyBytes,
  );
  if (good) return undefined;
  return faults.invalidArgument(
    'Symmetric keys are invalid.',
    `a key must have ${minKeyBytes} to ${maxKeyBytes} bytes`,
  );
}

function unsupported({ type }: AttestationMechanism, served: string): ServiceFault {
  return faults.invalidArgument('Unsupported attestation.', `this emulator enrolls ${served}, not ${type}`);
}

function isSameSecret(left: Secret | undefined, right: Secret | undefined): boolean {
  if (left === undefined || right === undefined || left.byteLength !== right.byteLength) return false;
  return timingSafeEqual(left.reveal(), right.reveal());
}
