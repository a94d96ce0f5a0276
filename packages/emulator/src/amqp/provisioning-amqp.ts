/** The provisioning service over AMQP. */
import type { Clock } from '@endorse/interface';
import { parseRegistrationLink } from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { handOver } from '../faults/hand-over.ts';
import type { Stamps } from '../listener/fault-answer.ts';
import type { ConnectionInfo } from '../listener/stream-handler.ts';
import { amqpFault } from './amqp-fault.ts';
import type { AmqpPeer } from './amqp-peer.ts';
import { answerDeviceMessage, findLinkFault } from './registration-node.ts';
import { fromAmqpMessage, toAmqpMessage } from './rhea-messages.ts';
import type { AmqpHold, AmqpService } from './rhea-server.ts';
import { saslMechanisms } from './sasl-mechanisms.ts';

/** What the service works with. */
export interface ProvisioningAmqpParts {
  readonly core: EmulatorCore;
  readonly stamps: Stamps;
  /** For answers that are to leave late. */
  readonly sleep: Clock['sleep'];
}

/** Makes the service of one connection: SASL or a client certificate, the links of a registration, its operations. */
export function createProvisioningAmqpService(
  { core, stamps, sleep }: ProvisioningAmqpParts,
  { certificates }: ConnectionInfo,
  hold: AmqpHold,
): AmqpService {
  const peer: AmqpPeer = { certificates, registration: undefined };
  const tell = (fault: ServiceFault): ReturnType<typeof amqpFault> => amqpFault(stamps, fault);
  return {
    mechanisms: saslMechanisms({
      core,
      peer,
      onRefused: hold.end,
      onDropped: hold.drop,
      sleep: (delayMs) => sleep(delayMs, hold.gone),
    }),
    attach: (address) => {
      const fault = findLinkFault(core, peer, address);
      return fault === undefined ? undefined : tell(fault);
    },
    receive: ({ address, message, accept, reject, findAnswerLink }) => {
      const link = parseRegistrationLink(address);
      const answerLink = findAnswerLink(
        (each) => parseRegistrationLink(each)?.registrationId === link?.registrationId,
      );
      if (link === undefined || answerLink === undefined) {
        reject(tell(faults.malformedRequest('there is no link of this session to send the answer on')));
        return;
      }
      const outcome = answerDeviceMessage(core, peer, link, toAmqpMessage(message));
      const { correlation_id: correlationId } = message;
      handOver(outcome.delivery, {
        send: () => {
          if (outcome.kind === 'fault') reject(tell(outcome.fault));
          if (outcome.kind !== 'answer') return;
          accept();
          const answered = fromAmqpMessage(outcome.message, correlationId);
          const contentType = outcome.delivery?.contentType;
          answerLink.send(contentType === undefined ? answered : { ...answered, content_type: contentType });
        },
        drop: hold.drop,
        sleep,
        untilGone: () => hold.gone,
      });
    },
    refuse: (reason) => {
      const fault = faults.malformedRequest(reason);
      core.emit({ event: 'request-refused', operation: 'amqp', ...fault });
      return tell(fault);
    },
    close: () => undefined,
  };
}
