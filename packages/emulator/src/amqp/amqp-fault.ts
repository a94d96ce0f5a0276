import type { AmqpError } from '@endorse/protocol';
import {
  conditionOfStatus,
  createGuid,
  encodeServiceErrorBody,
  formatTimestamp,
  retryAfterProperties,
} from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import type { Stamps } from '../listener/fault-answer.ts';

/** Writes a fault the way the provisioning service does on AMQP: its JSON body is the description of an error. */
export function amqpFault(stamps: Stamps, fault: ServiceFault): Required<AmqpError> {
  const { status, errorCode, message, reason, retryAfterSeconds } = fault;
  const description = encodeServiceErrorBody({
    errorCode,
    trackingId: createGuid(stamps.random),
    message,
    ...(reason === undefined ? {} : { info: { reason } }),
    timestampUtc: formatTimestamp(stamps.clock.now()),
  });
  return { condition: conditionOfStatus(status), description, info: retryAfterProperties(retryAfterSeconds) };
}
