import type { RegistrationOperationStatus } from '@endorse/interface';
import type { EventOf, RegistrationEvent } from './events.ts';
import type { RegistrationMachineState } from './state.ts';

/** A condition of the table: a name to print and a pure test. */
export interface Condition {
  readonly name: string;
  /** True when the row applies. */
  readonly test: (state: RegistrationMachineState, event: RegistrationEvent, now: number) => boolean;
}

/** TPM attestation. */
export const isTpm: Condition = {
  name: 'TPM',
  test: ({ settings }) => settings.attestation === 'tpm',
};

/** Attestation whose first request needs a token and no challenge. */
export const signsTokens: Condition = {
  name: 'symmetric key',
  test: ({ settings }) => settings.attestation === 'symmetric-key',
};

/** X.509 attestation. */
export const isX509: Condition = {
  name: 'X.509',
  test: ({ settings }) => settings.attestation === 'x509',
};

/** An operation is known: it is asked about rather than started again. */
export const tracksOperation: Condition = {
  name: 'operation id known',
  test: ({ memory }) => memory.operationId !== undefined,
};

/** Assigned, with the hub key that a TPM needs. */
export const assignedWithKey: Condition = {
  name: 'assigned, TPM, hub key included',
  test: ({ settings }, event) =>
    settings.attestation === 'tpm' &&
    event.type === 'operation-reported' &&
    findAssignmentProblem(event.operation) === undefined &&
    hubKeyOf(event.operation) !== undefined,
};

/** Assigned, and the device already holds the key it will use. */
export const assignedWithoutKeyNeeded: Condition = {
  name: 'assigned, no TPM',
  test: ({ settings }, event) =>
    settings.attestation !== 'tpm' &&
    event.type === 'operation-reported' &&
    findAssignmentProblem(event.operation) === undefined,
};

/** In progress, with an operation id to ask about and status requests left. */
export const stillAssigning: Condition = {
  name: 'assigning, polls left',
  test: ({ settings, memory }, event) =>
    event.type === 'operation-reported' &&
    isInProgress(event.operation, memory.operationId) &&
    memory.polls < settings.policy.maxPolls,
};

/** Every millisecond of pausing is used up. */
export const outOfTime: Condition = {
  name: 'delay budget used up',
  test: ({ settings, memory }) => memory.delayedMs >= settings.maxTotalDelayMs,
};

/** The pause interrupted a challenge. */
export const resumesChallenge: Condition = {
  name: 'paused before a challenge',
  test: ({ memory }) => memory.pause?.resume === 'awaiting-challenge',
};

/** The pause interrupted, or leads to, polling. */
export const resumesPolling: Condition = {
  name: 'paused before polling',
  test: ({ memory }) => memory.pause?.resume === 'polling',
};

/**
 * The held token has too little life left. Not for a TPM whose challenge is part of connecting: there the token was
 * shown when the connection was made, and a new one could not be shown without a new challenge.
 */
export const tokenRunsOut: Condition = {
  name: 'token about to expire',
  test: ({ settings, memory }, _event, now) =>
    memory.tokenExpiresAt !== undefined &&
    !(settings.attestation === 'tpm' && settings.challenge === 'handshake') &&
    now >= memory.tokenExpiresAt - settings.tokenRenewalMarginMs,
};

/** The service refused the token of a TPM, and a fresh challenge may be asked for. */
export const tokenRefused: Condition = {
  name: '401, TPM, challenges left',
  test: ({ settings, memory }, event) =>
    settings.attestation === 'tpm' &&
    event.type === 'io-failed' &&
    event.failure.kind === 'unauthorized' &&
    memory.tokenRefusals < settings.policy.maxTokenRefusals,
};

/** The service does not know the operation, and the device may register anew. */
export const operationLost: Condition = {
  name: '404, restarts left',
  test: ({ settings, memory }, event) =>
    event.type === 'io-failed' &&
    event.failure.kind === 'not-found' &&
    memory.restarts < settings.policy.maxRestarts,
};

/** The authenticated connection of a TPM is gone, and with it what the challenge proved. */
export const lostHandshake: Condition = {
  name: 'connection lost, TPM, challenge in the handshake, retries left',
  test: (state, event, now) =>
    state.settings.attestation === 'tpm' &&
    state.settings.challenge === 'handshake' &&
    repeatableOnNewConnection.test(state, event, now),
};

/** The request may be repeated; its connection is gone or in doubt. */
export const repeatableOnNewConnection: Condition = {
  name: 'connection lost, retries left',
  test: (state, event, now) =>
    repeatable.test(state, event, now) && event.type === 'io-failed' && event.failure.kind === 'connection',
};

/** The request may be repeated. */
export const repeatable: Condition = {
  name: 'retryable, retries left',
  test: ({ settings, memory }, event) =>
    event.type === 'io-failed' && event.failure.retryable && memory.retries < settings.policy.maxRetries,
};

/** True for an answer that asks for patience: `assigning`, and `unassigned` with an operation, as other clients read it. */
export function isInProgress(
  operation: RegistrationOperationStatus,
  knownOperationId: string | undefined,
): boolean {
  const hasOperation = operation.operationId !== '' || knownOperationId !== undefined;
  return (operation.status === 'assigning' || operation.status === 'unassigned') && hasOperation;
}

/** Path of what an assignment lacks; undefined when it is complete or the status is not `assigned`'s. */
export function findAssignmentProblem(
  operation: EventOf<'operation-reported'>['operation'],
): string | undefined {
  if (operation.status !== 'assigned') return '$.status';
  if (isEmpty(operation.registrationState?.assignedHub)) return '$.registrationState.assignedHub';
  return isEmpty(operation.registrationState?.deviceId) ? '$.registrationState.deviceId' : undefined;
}

/** The wrapped hub key of an assignment; undefined when there is none. */
export function hubKeyOf(operation: RegistrationOperationStatus): Uint8Array | undefined {
  const key = operation.registrationState?.tpm?.authenticationKey;
  return key === undefined || key.byteLength === 0 ? undefined : key;
}

function isEmpty(text: string | undefined): boolean {
  return text === undefined || text === '';
}
