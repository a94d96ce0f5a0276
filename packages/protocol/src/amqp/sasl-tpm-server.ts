import { LocalProtocolError } from '@endorse/interface';
import {
  decodeSaslTpmIdentity,
  decodeSaslTpmStorageRootKey,
  decodeSaslTpmToken,
  encodeSaslTpmSegments,
  malformedTpm,
  saslTpmRequest,
} from './sasl-tpm-framing.ts';
import type { SaslTpmIdentity } from './sasl-tpm-framing.ts';

/** What a response leads to: a challenge to send, the device's keys, to be answered with a blob, or its token, to be checked. */
export type SaslTpmServerStep =
  | { readonly kind: 'challenge'; readonly challenge: Uint8Array }
  | { readonly kind: 'identified'; readonly identity: SaslTpmIdentity; readonly storageRootKey: Uint8Array }
  | { readonly kind: 'answered'; readonly token: string };

type State =
  | { readonly kind: 'awaiting-identity' }
  | { readonly kind: 'awaiting-storage-root-key'; readonly identity: SaslTpmIdentity }
  | { readonly kind: 'identified' }
  | { readonly kind: 'sending'; readonly segments: readonly Uint8Array[] }
  | { readonly kind: 'awaiting-token' }
  | { readonly kind: 'ended' };

/**
 * The service's side of the SASL mechanism `TPM`, without any IO.
 *
 * Invariants: every response leads to exactly one step; a blob is sent once, in segments that count up from 0; the
 * exchange ends with the token. What a device must not send throws `ERR_REMOTE_MALFORMED`, a call out of order
 * `ERR_LOCAL_STATE`; after either the exchange is over.
 */
export class SaslTpmServer {
  #state: State = { kind: 'awaiting-identity' };

  /** Takes the initial response, then every further one; undefined is one without a value. */
  receive(response: Uint8Array = new Uint8Array()): SaslTpmServerStep {
    const state = this.#state;
    this.#state = { kind: 'ended' };
    switch (state.kind) {
      case 'awaiting-identity': {
        const identity = decodeSaslTpmIdentity(response);
        this.#state = { kind: 'awaiting-storage-root-key', identity };
        return { kind: 'challenge', challenge: saslTpmRequest };
      }
      case 'awaiting-storage-root-key': {
        const storageRootKey = decodeSaslTpmStorageRootKey(response);
        this.#state = { kind: 'identified' };
        return { kind: 'identified', identity: state.identity, storageRootKey };
      }
      case 'sending':
        if (response.byteLength !== 1 || response[0] !== 0) {
          throw malformedTpm('must ask for the next segment with the single byte 00');
        }
        return { kind: 'challenge', challenge: this.#send(state.segments) };
      case 'awaiting-token':
        return { kind: 'answered', token: decodeSaslTpmToken(response) };
      case 'identified':
      case 'ended':
        throw malformedTpm('must not go on without a challenge');
      default:
        return state satisfies never;
    }
  }

  /** The first challenge of an activation blob; only once the device has told its keys. Throws `ERR_OUT_OF_RANGE` for a blob of another size than 2 to 1880 bytes. */
  challenge(activationBlob: Uint8Array): Uint8Array {
    if (this.#state.kind !== 'identified') {
      throw new LocalProtocolError('ERR_LOCAL_STATE', `the SASL TPM exchange is ${this.#state.kind}`, {
        state: this.#state.kind,
      });
    }
    return this.#send(encodeSaslTpmSegments(activationBlob));
  }

  #send([segment = saslTpmRequest, ...rest]: readonly Uint8Array[]): Uint8Array {
    this.#state = rest.length === 0 ? { kind: 'awaiting-token' } : { kind: 'sending', segments: rest };
    return segment;
  }
}
