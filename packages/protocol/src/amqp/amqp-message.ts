import type { OperationStatusRequest, RegisterRequest } from '@endorse/interface';
import { encodeRegisterBody } from '../bodies/register-body.ts';
import { validateOperationId } from '../identifiers/operation-id.ts';
import { describeValue, malformed } from '../json/malformed.ts';
import { maxOperationIdLength } from '../limits.ts';
import { amqpOperations, amqpProperties } from './amqp-names.ts';

/** The parts of a message that the service's protocol uses, without the types of any AMQP library. */
export interface AmqpMessage {
  /** Section `application-properties`. */
  readonly applicationProperties: Readonly<Record<string, unknown>>;
  /** Bytes of the section `data`, or text of the section `amqp-value`; absent without a body. */
  readonly body?: Uint8Array | string;
}

/** What a device asks for in a message. */
export type AmqpDeviceOperation =
  | { readonly kind: 'register'; readonly forceRegistration: boolean; readonly body: Uint8Array | string }
  | { readonly kind: 'operation-status'; readonly operationId: string }
  | { readonly kind: 'status-lookup' };

/** The message that registers. Throws `ERR_INVALID_ARGUMENT` or `ERR_LOCAL_UNENCODABLE`. */
export function encodeRegisterMessage({ registrationInfo }: RegisterRequest): AmqpMessage {
  const body = new TextEncoder().encode(encodeRegisterBody(registrationInfo));
  return {
    applicationProperties: {
      [amqpProperties.operationType]: amqpOperations.register,
      [amqpProperties.forceRegistration]: registrationInfo.forceRegistration ?? false,
    },
    body,
  };
}

/** The message that asks for an operation's status. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeOperationStatusMessage({ operationId }: OperationStatusRequest): AmqpMessage {
  return {
    applicationProperties: {
      [amqpProperties.operationType]: amqpOperations.getOperationStatus,
      [amqpProperties.operationId]: validateOperationId(operationId),
    },
    // An AMQP message must have a body; nobody looks at this one.
    body: '',
  };
}

/** Reads the message of a device. Throws `ERR_REMOTE_MALFORMED` when it is none that the service knows. */
export function decodeDeviceMessage({ applicationProperties, body = '' }: AmqpMessage): AmqpDeviceOperation {
  const type = applicationProperties[amqpProperties.operationType];
  switch (type) {
    case amqpOperations.register:
      return {
        kind: 'register',
        forceRegistration: applicationProperties[amqpProperties.forceRegistration] === true,
        body,
      };
    case amqpOperations.getOperationStatus: {
      const operationId = applicationProperties[amqpProperties.operationId];
      if (typeof operationId === 'string' && operationId !== '' && operationId.length <= maxOperationIdLength)
        return { kind: 'operation-status', operationId };
      throw malformed(
        'device message',
        amqpProperties.operationId,
        `must be text of 1 to ${maxOperationIdLength}`,
      );
    }
    case amqpOperations.getRegistration:
      return { kind: 'status-lookup' };
    default:
      throw malformed('device message', amqpProperties.operationType, 'is no operation of the service', {
        sample: typeof type === 'string' ? type : describeValue(type),
      });
  }
}
