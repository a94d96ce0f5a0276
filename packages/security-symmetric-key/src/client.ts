import { createHmac } from 'node:crypto';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import type { Secret, SecurityClientOptions, SymmetricKeySecurityClient } from '@endorse/interface';
import { deriveGroupDeviceKey, validateRegistrationId } from '@endorse/protocol';
import { findKeyLengthProblem } from './key-length.ts';

/** Options of {@link createSymmetricKeySecurityClient} for a device with a key of its own. */
export interface IndividualKeyOptions {
  /** The registration id of the individual enrollment; 1 to 128 characters. */
  readonly registrationId: string;
  /** The primary or secondary key of the enrollment, or a key already derived; 16 to 64 bytes. */
  readonly key: Secret;
  /** Not together with {@link IndividualKeyOptions.key}. */
  readonly groupKey?: undefined;
}

/** Options of {@link createSymmetricKeySecurityClient} for a device of an enrollment group. */
export interface GroupKeyOptions {
  /** The registration id the device's key is derived for, in the case in which it is sent; 1 to 128 characters. */
  readonly registrationId: string;
  /**
   * The primary or secondary key of the group; 16 to 64 bytes. It makes the key of any device of
   * the group: derive in the factory, or in a gateway for its children, rather than on a device.
   */
  readonly groupKey: Secret;
  /** Not together with {@link GroupKeyOptions.groupKey}. */
  readonly key?: undefined;
}

/** Options of {@link createSymmetricKeySecurityClient}. */
export type SymmetricKeySecurityClientOptions = IndividualKeyOptions | GroupKeyOptions;

/** A {@link SymmetricKeySecurityClient} that is closed by its owner. */
export interface SymmetricKeySecurityClientHandle extends SymmetricKeySecurityClient, AsyncDisposable {
  /**
   * Overwrites the key with zeros; harmless when repeated, never rejects.
   * Calls made later reject with `ERR_SESSION_CLOSED`.
   */
  close(): Promise<void>;
}

/**
 * Makes the security client of a shared key. Does no IO, and copies what it needs: the given
 * secret stays its owner's, who may dispose of it at once.
 *
 * Throws `ERR_INVALID_ARGUMENT` for a bad registration id or unless exactly one of `key` and
 * `groupKey` is a `Secret`, `ERR_OUT_OF_RANGE` unless that has 16 to 64 bytes, and
 * `ERR_LOCAL_STATE` when it was disposed of.
 */
export function createSymmetricKeySecurityClient(
  options: SymmetricKeySecurityClientOptions,
): SymmetricKeySecurityClientHandle {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const registrationId = validateRegistrationId(options.registrationId, 'options.registrationId');
  if ((options.key === undefined) === (options.groupKey === undefined)) {
    throw new InvalidArgumentError('options', 'must have exactly one of key and groupKey');
  }
  if (options.groupKey === undefined) {
    return new KeyClient(registrationId, revealKey(options.key, 'options.key'));
  }
  const groupKey = revealKey(options.groupKey, 'options.groupKey');
  try {
    return new KeyClient(registrationId, deriveGroupDeviceKey(groupKey, registrationId));
  } finally {
    groupKey.fill(0);
  }
}

class KeyClient implements SymmetricKeySecurityClientHandle {
  readonly specificationVersion = 'v1';
  readonly kind = 'symmetric-key';
  readonly #registrationId: string;
  #key: Uint8Array | undefined;

  /** Takes over `key`: nobody else may hold it. */
  constructor(registrationId: string, key: Uint8Array) {
    this.#registrationId = registrationId;
    this.#key = key;
  }

  async getRegistrationId(options: SecurityClientOptions = {}): Promise<string> {
    this.#open(options);
    return this.#registrationId;
  }

  async signWithIdentity(data: Uint8Array, options: SecurityClientOptions = {}): Promise<Uint8Array> {
    const key = this.#open(options);
    if (!(data instanceof Uint8Array)) throw new InvalidArgumentError('data', 'must be a Uint8Array');
    return Uint8Array.from(createHmac('sha256', key).update(data).digest());
  }

  async close(): Promise<void> {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open({ signal }: SecurityClientOptions): Uint8Array {
    signal?.throwIfAborted();
    if (this.#key === undefined) {
      throw new LocalProtocolError('ERR_SESSION_CLOSED', 'the security client is closed', {
        state: 'closed',
      });
    }
    return this.#key;
  }
}

function revealKey(key: Secret, argument: string): Uint8Array {
  // By shape, not by class: two copies of the contracts may be loaded.
  if (typeof key?.reveal !== 'function' || typeof key.byteLength !== 'number') {
    throw new InvalidArgumentError(argument, 'must be a Secret');
  }
  const problem = findKeyLengthProblem(key.byteLength);
  if (problem !== undefined) throw new InvalidArgumentError(argument, problem, 'ERR_OUT_OF_RANGE');
  return key.reveal();
}
