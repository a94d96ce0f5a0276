import type { RegistrationOperationStatus } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { findOperationIdProblem } from '../identifiers/operation-id.ts';
import { JsonObjectReader } from '../json/json-object-reader.ts';
import { formatJson, type JsonDecodeOptions, type JsonInput } from '../json/json-text.ts';
import { maxResponseBytes } from '../limits.ts';
import {
  readRegistrationState,
  readStatus,
  registrationStateToJson,
  registrationStatuses,
} from './registration-state.ts';

/** Writes the answer to a register or status request. Throws `ERR_INVALID_ARGUMENT`, or `ERR_LOCAL_UNENCODABLE` above 1 MiB. */
export function encodeOperationStatus(operation: RegistrationOperationStatus): string {
  const { operationId, status, registrationState } = operation;
  // A disabled enrollment starts no operation: the service leaves the id empty.
  const problem =
    operationId === '' && status !== 'assigning' ? undefined : findOperationIdProblem(operationId);
  if (problem !== undefined) throw new InvalidArgumentError('operation.operationId', problem);
  if (!registrationStatuses.includes(status)) {
    throw new InvalidArgumentError('operation.status', `must be one of ${registrationStatuses.join(', ')}`);
  }
  return formatJson(
    'operation status',
    {
      operationId,
      status,
      ...(registrationState === undefined
        ? {}
        : { registrationState: registrationStateToJson(registrationState) }),
    },
    maxResponseBytes,
  );
}

/**
 * Reads the answer to a register or status request. The operation id may be missing or empty
 * unless the status is `assigning`, when there would be nothing to poll.
 * Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` (unknown status) or `ERR_REMOTE_TOO_LARGE`.
 */
export function decodeOperationStatus(
  input: JsonInput,
  options: JsonDecodeOptions = {},
): RegistrationOperationStatus {
  const what = 'operation status';
  const reader = JsonObjectReader.parse(what, input, options.maxBytes ?? maxResponseBytes);
  const status = readStatus(what, reader.path('status'), reader.requiredString('status', 64));
  const operationId = reader.optionalString('operationId', 1024) ?? '';
  const problem =
    operationId === '' && status !== 'assigning' ? undefined : findOperationIdProblem(operationId);
  if (problem !== undefined) throw reader.problem('operationId', problem);
  const state = reader.optionalReader('registrationState');
  return {
    operationId,
    status,
    ...(state === undefined ? {} : { registrationState: readRegistrationState(state) }),
  };
}
