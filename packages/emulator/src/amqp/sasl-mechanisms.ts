/**
 * The SASL mechanisms of the provisioning service, as rhea calls them: `outcome` stays undefined as long as there is
 * another challenge to send.
 */
import { isEndorseError } from '@endorse/interface';
import { SaslTpmServer, decodeSaslPlain, parseRegistrationLink, saslPlain, saslTpm } from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import { faults } from '../core/fault.ts';
import { isFault } from '../core/refusal.ts';
import type { Delivery } from '../faults/faulty-call.ts';
import type { ChallengeRequest } from '../core/device-requests.ts';
import type { AmqpPeer } from './amqp-peer.ts';

/** One exchange. rhea answers a rejection with the outcome "system error". */
export interface SaslServerMechanism {
  /** True when the peer is let in, false when it is not. */
  outcome: boolean | undefined;
  readonly username: string | undefined;
  start(response: Buffer | undefined | null): Promise<Buffer | undefined>;
  step(response: Buffer | undefined | null): Promise<Buffer | undefined>;
}

/** What the mechanisms of one connection work with. */
export interface SaslParts {
  readonly core: Pick<EmulatorCore, 'admit' | 'answerDevice' | 'emit'>;
  readonly peer: AmqpPeer;
  /** Called when a peer was not let in; its connection is of no further use. */
  readonly onRefused: () => void;
  /** Ends the connection at once. */
  readonly onDropped: () => void;
  /** For answers that are to leave late; rejects when the client has left. */
  readonly sleep: (delayMs: number) => Promise<void>;
}

/**
 * The mechanisms, by name, in the order in which they are offered. ANONYMOUS and EXTERNAL let everybody in: who comes
 * without a token shows a certificate, and that is looked at when it asks for something.
 */
export function saslMechanisms(parts: SaslParts): Readonly<Record<string, () => SaslServerMechanism>> {
  const offered: Readonly<Record<string, () => SaslServerMechanism>> = {
    [saslTpm]: () => tpmMechanism(parts),
    [saslPlain]: () => plainMechanism(parts),
    EXTERNAL: letIn,
    ANONYMOUS: letIn,
  };
  // rhea refuses a mechanism that is not offered, but keeps the connection; so there is one for every name.
  return new Proxy(offered, {
    get: (known, name) => (Object.hasOwn(known, name) ? known[String(name)] : () => unknownMechanism(parts)),
  });
}

function unknownMechanism(parts: SaslParts): SaslServerMechanism {
  return mechanism(parts, () => {
    refuseUnread(parts, 'the SASL mechanism is none of those offered');
    return false;
  });
}

function letIn(): SaslServerMechanism {
  const accept = async (): Promise<undefined> => undefined;
  return { outcome: true, username: undefined, start: accept, step: accept };
}

function plainMechanism(parts: SaslParts): SaslServerMechanism {
  return mechanism(parts, (response) => {
    const { username, password } = decodeSaslPlain(response);
    const identity = parseRegistrationLink(username);
    if (identity === undefined) {
      refuseUnread(parts, `the user name ${username.slice(0, 200)} names no registration`);
      return false;
    }
    return admit(parts, identity, password);
  });
}

function tpmMechanism(parts: SaslParts): SaslServerMechanism {
  const exchange = new SaslTpmServer();
  let identity: { readonly idScope: string; readonly registrationId: string } | undefined;
  return mechanism(parts, (response) => {
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

function challenge({ core }: SaslParts, exchange: SaslTpmServer, request: ChallengeRequest): Decision {
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

/** A decision that a fault script has a say in. */
interface Decision {
  readonly answer: Uint8Array | boolean;
  readonly delivery?: Delivery;
}

/** A mechanism around a decision: let in or not, or another challenge. Bytes that are none are not let in. */
function mechanism(
  parts: SaslParts,
  decide: (response: Uint8Array) => Uint8Array | boolean | Decision,
): SaslServerMechanism {
  const receive = async (response: Buffer | undefined | null): Promise<Buffer | undefined> => {
    const decided = decideSafely(response ?? new Uint8Array());
    const isPlain = typeof decided === 'boolean' || decided instanceof Uint8Array;
    const { answer: decision, delivery }: Decision = isPlain ? { answer: decided } : decided;
    if (delivery !== undefined && delivery.delayMs > 0) await parts.sleep(delivery.delayMs);
    if (delivery?.isDropped === true) {
      parts.onDropped();
      return undefined;
    }
    if (typeof decision !== 'boolean') return Buffer.from(decision);
    self.outcome = decision;
    if (!decision) parts.onRefused();
    return undefined;
  };
  const decideSafely = (response: Uint8Array): Uint8Array | boolean | Decision => {
    try {
      return decide(response);
    } catch (error) {
      if (!isEndorseError(error) || error.fault !== 'peer') throw error;
      refuseUnread(parts, error.message);
      return false;
    }
  };
  const self: SaslServerMechanism = {
    outcome: undefined,
    username: undefined,
    start: receive,
    step: receive,
  };
  return self;
}

function refuseUnread({ core }: SaslParts, reason: string): void {
  core.emit({ event: 'request-refused', operation: 'authenticate', ...faults.unauthorized(reason) });
}
