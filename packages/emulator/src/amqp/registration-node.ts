/** The links of a registration: what a device sends on one is answered on the other. */
import type { AmqpMessage, RegistrationLink } from '@endorse/protocol';
import {
  decodeDeviceMessage,
  decodeRegisterBody,
  encodeOperationReply,
  encodeStateReply,
  parseRegistrationLink,
} from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { DeviceRequest } from '../core/device-requests.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { isFault } from '../core/refusal.ts';
import { faultOf } from '../listener/fault-answer.ts';
import type { AmqpPeer } from './amqp-peer.ts';
import { credentialFor } from './amqp-peer.ts';

/** What becomes of a message: an answer, or a fault to reject it with. */
export type MessageOutcome =
  | { readonly kind: 'answer'; readonly message: AmqpMessage }
  | { readonly kind: 'fault'; readonly fault: ServiceFault };

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
  core: Pick<EmulatorCore, 'handleDeviceRequest' | 'emit'>,
  peer: AmqpPeer,
  link: RegistrationLink,
  message: AmqpMessage,
): MessageOutcome {
  let request: DeviceRequest;
  try {
    request = toDeviceRequest(peer, link, message);
  } catch (error) {
    const fault = faultOf(error, 'body');
    core.emit({ event: 'request-refused', operation: 'message', subject: link.registrationId, ...fault });
    return { kind: 'fault', fault };
  }
  const response = core.handleDeviceRequest(request);
  switch (response.outcome) {
    case 'fault':
      return { kind: 'fault', fault: response.fault };
    case 'challenge':
      // The enrollment was changed to one for a TPM: its challenge belongs into SASL.
      return { kind: 'fault', fault: faults.unauthorized('a TPM answers its challenge in SASL') };
    case 'operation':
      return {
        kind: 'answer',
        message: encodeOperationReply(response.operation, response.retryAfterSeconds),
      };
    case 'state':
      return { kind: 'answer', message: encodeStateReply(response.state) };
    default:
      return response satisfies never;
  }
}

function toDeviceRequest(peer: AmqpPeer, link: RegistrationLink, message: AmqpMessage): DeviceRequest {
  const common = { ...link, credential: credentialFor(peer, link) };
  const operation = decodeDeviceMessage(message);
  switch (operation.kind) {
    case 'register': {
      const { registrationId: repeated, endorsementKey, storageRootKey, payload } = readBody(operation.body);
      return {
        operation: 'register',
        ...common,
        ...(endorsementKey === undefined ? {} : { endorsementKey }),
        ...(storageRootKey === undefined ? {} : { storageRootKey }),
        ...(payload === undefined ? {} : { payload }),
        ...(repeated === undefined ? {} : { repeatedRegistrationId: repeated }),
      };
    }
    case 'operation-status':
      return { operation: 'query-operation', ...common, operationId: operation.operationId };
    case 'status-lookup':
      return { operation: 'look-up-state', ...common };
    default:
      return operation satisfies never;
  }
}

/** C# sends nothing where it has nothing to say. */
function readBody(body: Uint8Array | string): ReturnType<typeof decodeRegisterBody> {
  return body.length === 0 ? {} : decodeRegisterBody(body);
}
