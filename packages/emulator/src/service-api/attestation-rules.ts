import { timingSafeEqual } from 'node:crypto';
import type { RandomSource } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { AttestationMechanism } from '@endorse/protocol';
import { findStorageKeyProblem } from '../core/activation.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';

/** Adds what the service adds: keys where none were given. An enrollment that has keys keeps them. */
export function completeAttestation(
  given: AttestationMechanism,
  existing: AttestationMechanism | undefined,
  random: RandomSource,
): AttestationMechanism {
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
  if (attestation.type !== 'tpm') return unsupported(attestation, 'tpm and symmetricKey');
  const problem = findStorageKeyProblem(attestation.endorsementKey);
  if (problem !== undefined) return faults.endorsementKey(problem);
  const { storageRootKey } = attestation;
  const otherProblem = storageRootKey && findStorageKeyProblem(storageRootKey);
  return otherProblem === undefined ? undefined : faults.storageRootKey(otherProblem);
}

/** Why an enrollment group cannot have this attestation; undefined when it can. */
export function findGroupAttestationFault(attestation: AttestationMechanism): ServiceFault | undefined {
  if (attestation.type === 'symmetricKey') return findKeyFault(attestation);
  return unsupported(attestation, 'groups of symmetricKey');
}

/** What anyone who may read an enrollment sees: keys are handed out by `attestationmechanism` only, and once on writing. */
export function withoutKeys(attestation: AttestationMechanism): AttestationMechanism {
  return attestation.type === 'symmetricKey' ? { type: 'symmetricKey' } : attestation;
}

/** True when what a device proved under one attestation still stands under the other. */
export function isSameAttestation(left: AttestationMechanism, right: AttestationMechanism): boolean {
  if (left.type === 'tpm' && right.type === 'tpm') {
    return Buffer.from(left.endorsementKey).equals(right.endorsementKey);
  }
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
