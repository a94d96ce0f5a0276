import type { RegistrationOperationStatus, RegistrationResult } from '@endorse/interface';
import { RemoteProtocolError, TimeoutError } from '@endorse/interface';
import type { RegistrationFailedCode } from '../errors.ts';
import { RegistrationFailedError } from '../errors.ts';
import type { RegistrationOutcome } from '../machine/effects.ts';
import type { RegistrationMemory } from '../machine/state.ts';

/** The result of an assignment, from the service's last answer. */
export function createResult(
  operation: RegistrationOperationStatus | undefined,
  memory: RegistrationMemory,
): RegistrationResult {
  const registrationState = operation?.registrationState ?? {};
  const { substatus, payload } = registrationState;
  return Object.freeze({
    status: 'assigned',
    ...(substatus === undefined ? {} : { substatus }),
    registrationId: registrationState.registrationId ?? memory.registrationId ?? '',
    operationId: memory.operationId ?? '',
    assignedHub: memory.assignment?.assignedHub ?? '',
    deviceId: memory.assignment?.deviceId ?? '',
    ...(payload === undefined ? {} : { payload }),
    registrationState,
  });
}

/** The error of a run that failed. */
export function createFailure(
  outcome: Extract<RegistrationOutcome, { readonly kind: 'failed' }>,
  memory: RegistrationMemory,
  deadlineMs: number,
): unknown {
  switch (outcome.why) {
    case 'io':
      return outcome.error;
    case 'rejected':
    case 'unfinished':
      return createRefusal(outcome.code, outcome.operation, memory);
    case 'unusable':
      return new RemoteProtocolError(
        outcome.code,
        `registration of ${nameOf(memory)}: the answer lacks ${outcome.path}`,
        { evidence: { path: outcome.path } },
      );
    case 'deadline':
      return createDeadlineError(memory, deadlineMs, outcome.state);
    default:
      return outcome satisfies never;
  }
}

/** The error of a run whose deadline passed in `state`. */
export function createDeadlineError(
  memory: RegistrationMemory,
  deadlineMs: number,
  state: string,
): TimeoutError {
  return new TimeoutError(
    `registration of ${nameOf(memory)} did not end within ${deadlineMs} ms; it was ${state}`,
    { deadlineMs, state, retryable: true },
  );
}

const explanations: Readonly<Record<RegistrationFailedCode, readonly [problem: string, remedy: string]>> = {
  ERR_REGISTRATION_FAILED: ['the allocation failed', 'Look the service code up and check the enrollment.'],
  ERR_REGISTRATION_DISABLED: [
    'the enrollment is disabled',
    'Enable the enrollment in the provisioning service.',
  ],
  ERR_REGISTRATION_UNASSIGNED: ['the service has no operation for it', 'Register again.'],
  ERR_REGISTRATION_UNFINISHED: [
    'the service is still assigning',
    'Resume from the operation id, with a larger retry.maxPolls.',
  ],
};

function createRefusal(
  code: RegistrationFailedCode,
  operation: RegistrationOperationStatus,
  memory: RegistrationMemory,
): RegistrationFailedError {
  const { registrationState } = operation;
  const [problem, remedy] = explanations[code];
  const serviceCode = registrationState?.errorCode === undefined ? '' : ` (${registrationState.errorCode})`;
  const detail = registrationState?.errorMessage === undefined ? '' : `: ${registrationState.errorMessage}`;
  return new RegistrationFailedError(
    code,
    `registration of ${nameOf(memory)}: ${problem}${serviceCode}${detail}`,
    {
      registrationId: memory.registrationId ?? '',
      operationId: operation.operationId || memory.operationId,
      registrationState,
    },
    { remedy },
  );
}

function nameOf({ registrationId }: RegistrationMemory): string {
  return registrationId === undefined ? 'the device' : `"${registrationId}"`;
}
