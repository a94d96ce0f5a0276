import type { RegistrationOperationStatus, RegistrationReply, RegistrationState } from '@endorse/interface';
import { decodeOperationStatus, encodeOperationStatus } from '../bodies/operation-status.ts';
import { encodeRegistrationState } from '../bodies/registration-state.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import { malformed } from '../json/malformed.ts';
import type { AmqpMessage } from './amqp-message.ts';
import { amqpProperties, amqpRetryAfterNames } from './amqp-names.ts';

/** Writes the answer to a register or status message. Throws as {@link encodeOperationStatus}. */
export function encodeOperationReply(
  operation: RegistrationOperationStatus,
  retryAfterSeconds?: number,
): AmqpMessage {
  return {
    applicationProperties: {
      [amqpProperties.status]: operation.status,
      ...retryAfterProperties(retryAfterSeconds),
    },
    body: new TextEncoder().encode(encodeOperationStatus(operation)),
  };
}

/** Writes the answer to a status lookup. */
export function encodeStateReply(state: RegistrationState): AmqpMessage {
  return {
    applicationProperties: { [amqpProperties.status]: state.status ?? 'unassigned' },
    body: new TextEncoder().encode(encodeRegistrationState(state)),
  };
}

/** Both spellings of the pause, in seconds; none when there is none. */
export function retryAfterProperties(
  retryAfterSeconds: number | undefined,
): Readonly<Record<string, number>> {
  if (retryAfterSeconds === undefined) return {};
  return Object.fromEntries(amqpRetryAfterNames.map((name) => [name, retryAfterSeconds]));
}

/** Reads the answer to a register or status message. Throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE`. */
export function decodeOperationReply(
  { applicationProperties, body }: AmqpMessage,
  options: { readonly nowMs: number },
): RegistrationReply {
  if (body === undefined) throw malformed('answer', 'body', 'must be a data section with JSON');
  const operation = decodeOperationStatus(body);
  const retryAfterMs = readRetryAfter(applicationProperties, options.nowMs);
  return retryAfterMs === undefined ? { operation } : { operation, retryAfterMs };
}

/** The pause in application properties or in the info of an error, in milliseconds; undefined when there is none of use. */
export function readRetryAfter(
  properties: Readonly<Record<string, unknown>>,
  nowMs: number,
): number | undefined {
  const [value] = amqpRetryAfterNames.map((name) => properties[name]).filter((each) => each !== undefined);
  return typeof value === 'number' || typeof value === 'string'
    ? parseRetryAfter(String(value), nowMs)
    : undefined;
}
