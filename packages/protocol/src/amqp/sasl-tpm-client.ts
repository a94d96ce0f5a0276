import type { Secret } from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import { malformed } from '../json/malformed.ts';
import { maxActivationBlobBytes } from '../limits.ts';
import {
  decodeSaslTpmSegment,
  encodeSaslTpmIdentity,
  encodeSaslTpmStorageRootKey,
  encodeSaslTpmToken,
  malformedTpm,
  saslTpmRequest,
} from './sasl-tpm-framing.ts';
import type { SaslTpmIdentity } from './sasl-tpm-framing.ts';

/** What a challenge leads to: something to send back, or the whole activation blob, to be answered with a token. */
export type SaslTpmClientStep =
  | { readonly kind: 'respond'; readonly response: Uint8Array }
  | { readonly kind: 'challenged'; readonly activationBlob: Uint8Array };

/** What the device's side of the mechanism is made from. */
export interface SaslTpmClientOptions extends SaslTpmIdentity {
  /** TPM2B_PUBLIC of the storage root key. */
  readonly storageRootKey: Uint8Array;
}

/** Real blobs come in two segments, and the count has two bits; beyond this the service sends in circles. */
const maxSegments = 8;

/**
 * The device's side of the SASL mechanism `TPM`, without any IO.
 *
 * Invariants: the storage root key goes out once, and only for the single byte `00`; segments count up from 0
 * without a gap; at most 8 segments and 8 KiB are collected; nothing is accepted after the last segment.
 * A violation by the service throws `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_UNEXPECTED` or `ERR_REMOTE_TOO_LARGE`,
 * a call out of order `ERR_LOCAL_STATE`; after either the exchange is over.
 */
export class SaslTpmClient {
  readonly #identity: Uint8Array;
  readonly #storageRootKey: Uint8Array;
  #state: 'initial' | 'awaiting-key-request' | 'receiving' | 'challenged' | 'ended' = 'initial';
  #segments: Uint8Array[] = [];

  /** Throws `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE` or `ERR_LOCAL_UNENCODABLE` before anything is sent. */
  constructor(options: SaslTpmClientOptions) {
    this.#identity = encodeSaslTpmIdentity(options);
    this.#storageRootKey = encodeSaslTpmStorageRootKey(options.storageRootKey);
  }

  /** The initial response. */
  start(): Uint8Array {
    this.#enter('initial', 'awaiting-key-request');
    return this.#identity;
  }

  /** Takes the next challenge; undefined is one without a value. */
  receive(challenge: Uint8Array | undefined): SaslTpmClientStep {
    const state = this.#state;
    this.#state = 'ended';
    switch (state) {
      case 'awaiting-key-request':
        if (challenge?.byteLength !== 1 || challenge[0] !== 0) {
          throw malformedTpm('must ask for the storage root key first, with the single byte 00');
        }
        this.#state = 'receiving';
        return { kind: 'respond', response: this.#storageRootKey };
      case 'receiving':
        return this.#receiveSegment(challenge ?? new Uint8Array());
      case 'challenged':
      case 'ended':
        throw malformed('SASL TPM exchange', 'challenge', 'must not follow the last segment', {
          code: 'ERR_REMOTE_UNEXPECTED',
        });
      case 'initial':
        throw wrongState(state);
      default:
        return state satisfies never;
    }
  }

  /** The response with the token; only after the whole blob has come. Throws `ERR_LOCAL_UNENCODABLE` for a token that is too long. */
  answer(token: Secret): Uint8Array {
    this.#enter('challenged', 'ended');
    return encodeSaslTpmToken(token.revealText());
  }

  #receiveSegment(challenge: Uint8Array): SaslTpmClientStep {
    const { sequence, isLast, data } = decodeSaslTpmSegment(challenge);
    const expected = this.#segments.length % 4;
    if (sequence !== expected) {
      throw malformed('SASL TPM exchange', 'segment', `must be number ${expected}, is number ${sequence}`, {
        code: 'ERR_REMOTE_UNEXPECTED',
      });
    }
    this.#segments.push(Uint8Array.from(data));
    const byteLength = this.#segments.reduce((sum, segment) => sum + segment.byteLength, 0);
    if (byteLength > maxActivationBlobBytes || (this.#segments.length >= maxSegments && !isLast)) {
      this.#segments = [];
      throw malformed(
        'SASL TPM exchange',
        'activation blob',
        `exceeds ${maxSegments} segments or ${maxActivationBlobBytes} bytes`,
        { code: 'ERR_REMOTE_TOO_LARGE' },
      );
    }
    if (!isLast) {
      this.#state = 'receiving';
      return { kind: 'respond', response: saslTpmRequest };
    }
    if (byteLength === 0) throw malformedTpm('must hold an activation blob, which is empty');
    this.#state = 'challenged';
    const activationBlob = Uint8Array.from(Buffer.concat(this.#segments));
    this.#segments = [];
    return { kind: 'challenged', activationBlob };
  }

  #enter(from: 'initial' | 'challenged', to: 'awaiting-key-request' | 'ended'): void {
    if (this.#state !== from) throw wrongState(this.#state);
    this.#state = to;
  }
}

function wrongState(state: string): LocalProtocolError {
  return new LocalProtocolError('ERR_LOCAL_STATE', `the SASL TPM exchange is ${state}`, { state });
}
