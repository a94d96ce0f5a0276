import { isEndorseError } from '@endorse/interface';
import type { Delivery } from '../faults/faulty-call.ts';

/** One SASL exchange, as rhea calls it: `outcome` stays undefined as long as there is another challenge to send. rhea answers a rejection with the outcome "system error". */
export interface SaslServerMechanism {
  /** True when the peer is let in, false when it is not. */
  outcome: boolean | undefined;
  readonly username: string | undefined;
  start(response: Buffer | undefined | null): Promise<Buffer | undefined>;
  step(response: Buffer | undefined | null): Promise<Buffer | undefined>;
}

/** What mechanisms do to their connection. */
export interface SaslListeners {
  /** Called when a peer was not let in; its connection is of no further use. */
  readonly onRefused: () => void;
  /** Ends the connection at once. */
  readonly onDropped: () => void;
  /** For answers that are to leave late; rejects when the client has left. */
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Reports bytes that are none of the mechanism's, and mechanisms that are not offered. */
  readonly noteViolation: (reason: string) => void;
}

/** A decision that a fault script has a say in. */
export interface SaslDecision {
  /** Let in or not, or another challenge. */
  readonly answer: Uint8Array | boolean;
  readonly delivery?: Delivery;
}

/** Makes a mechanism around a decision. Bytes that are none are not let in. */
export function saslMechanism(
  { onRefused, onDropped, sleep, noteViolation }: SaslListeners,
  decide: (response: Uint8Array) => Uint8Array | boolean | SaslDecision,
): SaslServerMechanism {
  const receive = async (response: Buffer | undefined | null): Promise<Buffer | undefined> => {
    const decided = decideSafely(response ?? new Uint8Array());
    const isPlain = typeof decided === 'boolean' || decided instanceof Uint8Array;
    const { answer, delivery }: SaslDecision = isPlain ? { answer: decided } : decided;
    if (delivery !== undefined && delivery.delayMs > 0) await sleep(delivery.delayMs);
    if (delivery?.isDropped === true) {
      onDropped();
      return undefined;
    }
    if (typeof answer !== 'boolean') return Buffer.from(answer);
    self.outcome = answer;
    if (!answer) onRefused();
    return undefined;
  };
  const decideSafely = (response: Uint8Array): Uint8Array | boolean | SaslDecision => {
    try {
      return decide(response);
    } catch (error) {
      if (!isEndorseError(error) || error.fault !== 'peer') throw error;
      noteViolation(error.message);
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

/** EXTERNAL and ANONYMOUS let everybody in: who comes without a token shows a certificate or a token later on. */
export const openMechanisms: Readonly<Record<string, () => SaslServerMechanism>> = Object.freeze({
  EXTERNAL: letIn,
  ANONYMOUS: letIn,
});

/** Offers mechanisms, and refuses every other by name: rhea alone would refuse it and keep the connection. */
export function offerMechanisms(
  listeners: SaslListeners,
  offered: Readonly<Record<string, () => SaslServerMechanism>>,
): Readonly<Record<string, () => SaslServerMechanism>> {
  const unknown = (): SaslServerMechanism =>
    saslMechanism(listeners, () => {
      listeners.noteViolation('the SASL mechanism is none of those offered');
      return false;
    });
  return new Proxy(offered, {
    get: (known, name) => (Object.hasOwn(known, name) ? known[String(name)] : unknown),
  });
}

function letIn(): SaslServerMechanism {
  const accept = async (): Promise<undefined> => undefined;
  return { outcome: true, username: undefined, start: accept, step: accept };
}
