/**
 * The provisioning service over MQTT. The credential is looked at in CONNECT already, and again in every request.
 * TPM attestation is refused, because the real service does not offer it here.
 */
import type { Clock } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import {
  decodeRegisterBody,
  encodeOperationStatus,
  encodeRegistrationResponseTopic,
  parseRegistrationTopic,
  parseRegistrationUserName,
  registrationResponseFilter,
} from '@endorse/protocol';
import type { RegistrationTopic } from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { DeviceCredential, DeviceResponse, StateQuery } from '../core/device-requests.ts';
import { toRegisterRequest } from '../core/device-requests.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import type { Delivery } from '../faults/faulty-call.ts';
import { handOver, truncateBody } from '../faults/hand-over.ts';
import type { Stamps } from '../listener/fault-answer.ts';
import { faultAnswer, faultOf } from '../listener/fault-answer.ts';
import type {
  ConnectReturnCode,
  MqttConnectRequest,
  MqttLink,
  MqttMessage,
  MqttService,
  MqttSession,
} from './mqtt-service.ts';

/** What the service works with. */
export interface ProvisioningMqttParts {
  readonly core: Pick<EmulatorCore, 'admit' | 'answerDevice' | 'emit'>;
  readonly stamps: Stamps;
  /** For answers that are to leave late. */
  readonly sleep: Clock['sleep'];
}

/** Makes the service of a core. */
export function createProvisioningMqttService(parts: ProvisioningMqttParts): MqttService {
  const { core } = parts;
  return {
    connect: (request, link) => {
      const identity = readIdentity(request);
      if ('reason' in identity) return refuse(4, faults.malformedRequest(identity.reason));
      const { registrationId } = identity;
      if (request.clientId.toLowerCase() !== registrationId.toLowerCase()) {
        return refuse(2, faults.malformedRequest('the client identifier is not the registration id'));
      }
      const admission = core.admit(identity);
      // The core has reported it.
      if (admission.outcome === 'fault') return { outcome: 'refused', returnCode: 5 };
      if (admission.attestation === 'tpm') return refuse(5, faults.unauthorized(noTpm));
      return { outcome: 'accepted', session: createSession(parts, identity, link) };
    },
    noteViolation: (reason) => note('connect', faults.malformedRequest(reason)),
  };

  function refuse(
    returnCode: ConnectReturnCode,
    fault: ServiceFault,
  ): { readonly outcome: 'refused'; readonly returnCode: ConnectReturnCode } {
    note('connect', fault);
    return { outcome: 'refused', returnCode };
  }

  function note(operation: string, fault: ServiceFault): void {
    core.emit({ event: 'request-refused', operation, ...fault });
  }
}

/** What became of a request; nothing, when a fault script has it that the connection is dropped. */
interface Handled {
  readonly response?: DeviceResponse;
  readonly delivery?: Delivery;
}

const noTpm = 'TPM attestation is not offered over MQTT; HTTP and AMQP have it';

function createSession(
  { core, stamps, sleep }: ProvisioningMqttParts,
  identity: StateQuery,
  link: MqttLink,
): MqttSession {
  const gone = new AbortController();
  return {
    filters: [registrationResponseFilter],
    receive: (message) => {
      let topic: RegistrationTopic | undefined;
      try {
        topic = parseRegistrationTopic(message.topic);
      } catch (error) {
        return drop(faultOf(error, 'target'));
      }
      if (topic === undefined) return drop(faults.notFound('a device may not publish to this topic'));
      const { response, delivery } = handle(topic, message);
      handOver(delivery, {
        send: () => {
          if (response !== undefined) answer(topic, response, delivery);
        },
        drop: link.drop,
        sleep,
        untilGone: () => gone.signal,
      });
      return true;
    },
    close: () => gone.abort(),
  };

  function handle(topic: RegistrationTopic, { payload }: MqttMessage): Handled {
    try {
      if (topic.kind === 'operation-status') {
        return core.answerDevice('mqtt', {
          operation: 'query-operation',
          ...identity,
          operationId: topic.operationId,
        });
      }
      const { endorsementKey, storageRootKey: _unread, ...body } = decodeRegisterBody(payload);
      if (endorsementKey !== undefined) return refuse(topic, faults.invalidArgument('Bad request.', noTpm));
      return core.answerDevice('mqtt', toRegisterRequest(identity, body));
    } catch (error) {
      // Beside bodies that cannot be read, a store that was handed in may throw, and must not end the process.
      const isBody = isEndorseError(error) && error.fault === 'peer';
      return refuse(topic, isBody ? faultOf(error, 'body') : faults.internal(String(error)));
    }
  }

  function refuse({ kind }: RegistrationTopic, fault: ServiceFault): Handled {
    core.emit({ event: 'request-refused', operation: kind, subject: identity.registrationId, ...fault });
    return { response: { outcome: 'fault', fault } };
  }

  function answer(
    { requestId }: RegistrationTopic,
    response: DeviceResponse,
    delivery: Delivery | undefined,
  ): void {
    switch (response.outcome) {
      case 'operation': {
        const { operation, retryAfterSeconds } = response;
        const status = operation.status === 'assigning' ? 202 : 200;
        publish({ status, requestId, retryAfterSeconds }, encodeOperationStatus(operation), delivery);
        return;
      }
      case 'fault': {
        const { status, retryAfterSeconds } = response.fault;
        publish({ status, requestId, retryAfterSeconds }, faultAnswer(stamps, response.fault).body, delivery);
        return;
      }
      case 'challenge':
      case 'state':
        // Neither is asked for here.
        return;
      default:
        response satisfies never;
    }
  }

  function publish(
    head: {
      readonly status: number;
      readonly requestId: string;
      readonly retryAfterSeconds: number | undefined;
    },
    body: string,
    delivery: Delivery | undefined,
  ): void {
    const { retryAfterSeconds, ...rest } = head;
    const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000;
    const whole = Buffer.from(body);
    // Cut off, it is still a whole message: packets have their length in front.
    link.publish(registrationResponseFilter, {
      topic: encodeRegistrationResponseTopic({ ...rest, retryAfterMs }),
      payload: delivery === undefined ? whole : truncateBody(whole, delivery),
    });
  }

  function drop(fault: ServiceFault): false {
    core.emit({ event: 'request-refused', operation: 'publish', subject: identity.registrationId, ...fault });
    return false;
  }
}

function readIdentity({
  userName,
  password,
  certificates,
}: MqttConnectRequest): StateQuery | { readonly reason: string } {
  try {
    const { idScope, registrationId } = parseRegistrationUserName(userName ?? '');
    return { idScope, registrationId, credential: readCredential(password, certificates) };
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return { reason: error.message };
  }
}

function readCredential(
  token: string | undefined,
  certificates: readonly Uint8Array[] | undefined,
): DeviceCredential {
  if (token !== undefined && token !== '') return { kind: 'token', token };
  return certificates === undefined ? { kind: 'none' } : { kind: 'certificate', certificates };
}
