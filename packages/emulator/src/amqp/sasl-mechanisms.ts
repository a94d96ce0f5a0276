/** The SASL mechanisms of the provisioning service. */
import { SaslTpmServer, decodeSaslPlain, parseRegistrationLink, saslPlain, saslTpm } from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { ChallengeRequest } from '../core/device-requests.ts';
import { faults } from '../core/fault.ts';
import { isFault } from '../core/refusal.ts';
import type { AmqpPeer } from './amqp-peer.ts';
import type { SaslDecision, SaslListeners, SaslServerMechanism } from './sasl-mechanism.ts';
import { offerMechanisms, openMechanisms, saslMechanism } from './sasl-mechanism.ts';

/** What the mechanisms of one connection work with. */
export interface SaslParts extends Omit<SaslListeners, 'noteViolation'> {
  readonly core: Pick<EmulatorCore, 'admit' | 'answerDevice' | 'emit'>;
  readonly peer: AmqpPeer;
}

/** The mechanisms, by name, in the order in which they are offered. A certificate is looked at when its owner asks for something. */
export function saslMechanisms(parts: SaslParts): Readonly<Record<string, () => SaslServerMechanism>> {
  const { core } = parts;
  const noteViolation = (reason: string): void =>
    core.emit({ event: 'request-refused', operation: 'authenticate', ...faults.unauthorized(reason) });
  const listeners = { ...parts, noteViolation };
  return offerMechanisms(listeners, {
    [saslTpm]: () => tpmMechanism(parts, listeners),
    [saslPlain]: () => plainMechanism(parts, listeners),
    ...openMechanisms,
  });
}

function plainMechanism(parts: SaslParts, listeners: SaslListeners): SaslServerMechanism {
  return saslMechanism(listeners, (response) => {
    const { username, password } = decodeSaslPlain(response);
    const identity = parseRegistrationLink(username);
    if (identity === undefined) {
      listeners.noteViolation(`the user name ${username.slice(0, 200)} names no registration`);
      return false;
    }
    return admit(parts, identity, password);
  });
}

function tpmMechanism(parts: SaslParts, listeners: SaslListeners): SaslServerMechanism {
  const exchange = new SaslTpmServer();
  let identity: { readonly idScope: string; readonly registrationId: string } | undefined;
  return saslMechanism(listeners, (response) => {
    const step = exchange.receive(response);
    switch (step.kind) {
      case 'challenge':
        return step.challenge;
      case 'identified': {
        ({ identity } = step);
        return challenge(parts, exchange, { ...step.identity, storageRootKey: step.storageRootKey });
      }
      case 'answered':
        return identity !== undefined && admit(parts, identity, step.token);
      default:
        return step satisfies never;
    }
  });
}

function challenge({ core }: SaslParts, exchange: SaslTpmServer, request: ChallengeRequest): SaslDecision {
  const { response, delivery } = core.answerDevice('amqp', { operation: 'request-challenge', ...request });
  const answer = response?.outcome === 'challenge' ? exchange.challenge(response.activationBlob) : false;
  return { answer, delivery };
}

function admit(
  { core, peer }: SaslParts,
  { idScope, registrationId }: { readonly idScope: string; readonly registrationId: string },
  token: string,
): boolean {
  const answer = core.admit({ idScope, registrationId, credential: { kind: 'token', token } });
  if (isFault(answer)) return false;
  peer.registration = { idScope, registrationId, token };
  return true;
}
