/** The SASL mechanisms of a device, as rhea calls them. */
import type { Secret } from '@endorse/interface';
import type { SaslTpmClientOptions } from '@endorse/protocol';
import { SaslTpmClient, encodeSaslPlain, saslPlain, saslTpm } from '@endorse/protocol';

/** rhea's shape: each step is answered through its callback, whenever that is. */
export interface RheaMechanism {
  start(callback: (error: undefined, response: Buffer) => void): void;
  step(challenge: unknown, callback: (error: undefined, response: Buffer) => void): void;
}

/** A mechanism with its name. */
export interface NamedMechanism {
  readonly name: string;
  readonly mechanism: RheaMechanism;
}

/** A TPM exchange, halfway: the blob has come, the token is yet to be given. */
export interface TpmExchange extends NamedMechanism {
  /** Shows the token. Throws `ERR_LOCAL_UNENCODABLE` for one that no SASL frame has room for. */
  answer(token: Secret): void;
}

/** What a mechanism tells its connection. */
export interface MechanismListeners {
  /** TPM: the whole activation blob has come. */
  readonly onChallenge?: (activationBlob: Uint8Array) => void;
  /** The service did not keep to the mechanism. */
  readonly onViolation: (error: Error) => void;
}

/** PLAIN with a token. Throws `ERR_LOCAL_UNENCODABLE`. */
export function plainMechanism(
  username: string,
  token: Secret,
  { onViolation }: MechanismListeners,
): NamedMechanism {
  const initial = Buffer.from(encodeSaslPlain(username, token));
  return {
    name: saslPlain,
    mechanism: {
      start: (callback) => callback(undefined, initial),
      step: () => onViolation(new Error('PLAIN has no challenges')),
    },
  };
}

/** TPM, which stops with the whole blob until the token is given. Throws `ERR_INVALID_ARGUMENT` or `ERR_LOCAL_UNENCODABLE`. */
export function tpmMechanism(
  options: SaslTpmClientOptions,
  { onChallenge, onViolation }: MechanismListeners,
): TpmExchange {
  const client = new SaslTpmClient(options);
  let respond: ((error: undefined, response: Buffer) => void) | undefined;
  return {
    name: saslTpm,
    mechanism: {
      start: (callback) => callback(undefined, Buffer.from(client.start())),
      step: (challenge, callback) => {
        try {
          const step = client.receive(challenge instanceof Uint8Array ? challenge : undefined);
          if (step.kind === 'respond') {
            callback(undefined, Buffer.from(step.response));
            return;
          }
          respond = callback;
          onChallenge?.(step.activationBlob);
        } catch (error) {
          onViolation(error as Error);
        }
      },
    },
    answer: (token) => respond?.(undefined, Buffer.from(client.answer(token))),
  };
}
