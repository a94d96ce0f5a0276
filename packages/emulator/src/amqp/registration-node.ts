/** The links of a registration: what a device sends on one is answered on the other. */
import type { AmqpMessage, RegisterBody, RegistrationLink } from '@endorse/protocol';
import {
  decodeDeviceMessage,
  decodeRegisterBody,
  encodeOperationReply,
  encodeStateReply,
  parseRegistrationLink,
} from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { DeviceRequest, DeviceResponse } from '../core/device-requests.ts';
import { toRegisterRequest } from '../core/device-requests.ts';
import type { Delivery } from '../faults/faulty-call.ts';
import { truncateBody } from '../faults/hand-over.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { isFault } from '../core/refusal.ts';
import { faultOf } from '../listener/fault-answer.ts';
import type { AmqpPeer } from './amqp-peer.ts';
import { credentialFor } from './amqp-peer.ts';

/** What becomes of a message: an answer, or a fault to reject it with; nothing, when the connection is to be dropped. */
export type MessageOutcome =
  | { readonly kind: 'answer'; readonly message: AmqpMessage }
  | { readonly kind: 'fault'; readonly fault: ServiceFault }
  | { readonly kind: 'nothing' };

/** An outcome and how to hand it over; at once where nothing else is said. */
export type HandedOutcome = MessageOutcome & { readonly delivery?: Delivery };

/** Says whether a peer may have a link to a registration; undefined when it may. */
export function findLinkFault(
  core: Pick<EmulatorCore, 'admit' | 'emit'>,
  peer: AmqpPeer,
  address: string,
): ServiceFault | undefined {
  const link = parseRegistrationLink(address);
  if (link === undefined) {
    const fault = faults.notFound(`there is no node ${address.slice(0, 200)} here`);
    core.emit({ event: 'request-refused', operation: 'attach', ...fault });
    return fault;
  }
  const answer = core.admit({ ...link, credential: credentialFor(peer, link) });
  return isFault(answer) ? answer.fault : undefined;
}

/** Answers a message of a device that has a link to its registration. */
export function answerDeviceMessage(
  core: Pick<EmulatorCore, 'answerDevice' | 'emit'>,
  peer: AmqpPeer,
  link: RegistrationLink,
  message: AmqpMessage,
): HandedOutcome {
  let request: DeviceRequest;
  try {
    request = toDeviceRequest(peer, link, message);
  } catch (error) {
    const fault = faultOf(error, 'body');
    core.emit({ event: 'request-refused', operation: 'message', subject: link.registrationId, ...fault });
    return { kind: 'fault', fault };
  }
  const { response, delivery } = core.answerDevice('amqp', request);
  const outcome: MessageOutcome =
    response === undefined ? { kind: 'nothing' } : toOutcome(response, delivery);
  return { ...outcome, delivery };
}

function toOutcome(response: DeviceResponse, delivery: Delivery): MessageOutcome {
  switch (response.outcome) {
    case 'fault':
      return { kind: 'fault', fault: response.fault };
    case 'challenge':
      // The enrollment was changed to one for a TPM: its challenge belongs into SASL.
      return { kind: 'fault', fault: faults.unauthorized('a TPM answers its challenge in SASL') };
    case 'operation':
      return {
        kind: 'answer',
        message: spoil(encodeOperationReply(response.operation, response.retryAfterSeconds), delivery),
      };
    case 'state':
      return { kind: 'answer', message: spoil(encodeStateReply(response.state), delivery) };
    default:
      return response satisfies never;
  }
}

/** A body that is cut off. Its message is whole, because AMQP frames are rhea's. */
function spoil(message: AmqpMessage, delivery: Delivery): AmqpMessage {
  const { body = '' } = message;
  if (delivery.truncateTo === undefined) return message;
  const bytes = truncateBody(typeof body === 'string' ? Buffer.from(body) : body, delivery);
  return { ...message, body: typeof body === 'string' ? Buffer.from(bytes).toString() : bytes };
}

function toDeviceRequest(peer: AmqpPeer, link: RegistrationLink, message: AmqpMessage): DeviceRequest {
  const common = { ...link, credential: credentialFor(peer, link) };
  const operation = decodeDeviceMessage(message);
  switch (operation.kind) {
    case 'register':
      return toRegisterRequest(common, readBody(operation.body));
    case 'operation-status':
      return { operation: 'query-operation', ...common, operationId: operation.operationId };
    case 'status-lookup':
      return { operation: 'look-up-state', ...common };
    default:
      return operation satisfies never;
  }
}

/** C# sends nothing where it has nothing to say. */
function readBody(body: Uint8Array | string): RegisterBody {
  return body.length === 0 ? {} : decodeRegisterBody(body);
}
