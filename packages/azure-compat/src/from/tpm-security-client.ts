import type { SecurityClientOptions, TpmSecurityClient } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { deriveRegistrationId, splitActivationBlob } from '@endorse/protocol';
import type { AzureTpmSecurityClient } from '../azure-types.ts';
import type { ForeignCallback } from '../callbacks.ts';
import { requireMethods } from '../required-methods.ts';
import type { FromAzureSecurityClientOptions } from './security-calls.ts';
import { SecurityCalls } from './security-calls.ts';

/** Options of {@link fromAzureTpmSecurityClient}. */
export interface FromAzureTpmSecurityClientOptions extends FromAzureSecurityClientOptions {
  /**
   * Refuses a malformed activation blob (`ERR_REMOTE_MALFORMED`) before the client sees it; default true. The official
   * client reads blobs in the callback of a socket, where an exception ends the process.
   */
  readonly checkActivationBlob?: boolean | undefined;
}

/** A security client of the official SDK; one that cannot tell the registration id has it derived from its endorsement key. */
export type AzureTpmSecurityClientLike = Omit<AzureTpmSecurityClient, 'getRegistrationId'> &
  Partial<Pick<AzureTpmSecurityClient, 'getRegistrationId'>>;

/**
 * Turns a TPM security client of the official SDK (or one written for it) into ours.
 *
 * Calls are made one at a time and settle exactly once: with the first callback,
 * with what the method throws, or when the time limit passes. On abort a call
 * rejects with the reason as soon as the TPM command behind it, which cannot be
 * recalled, is over, at the latest after 5 s; the next call waits until it is over. Errors are `AzureSecurityClientError`, the original as
 * their `cause`. What no adapter can catch: an exception in a callback of tss.js,
 * which the official client throws when the TPM refuses a blob, still reaches the
 * event loop and ends the process, unless the application handles it there; with a
 * handler, the call then ends in `ERR_TIMEOUT`.
 *
 * Throws `ERR_INVALID_ARGUMENT` for an object without the methods.
 */
export function fromAzureTpmSecurityClient(
  securityClient: AzureTpmSecurityClientLike,
  options: FromAzureTpmSecurityClientOptions = {},
): TpmSecurityClient {
  const { checkActivationBlob = true } = options;
  requireMethods('securityClient', securityClient, [
    'getEndorsementKey',
    'getStorageRootKey',
    'activateIdentityKey',
    'signWithIdentity',
  ]);
  const calls = new SecurityCalls('tpm', options);

  /** A call that results in bytes: a copy, so that later changes on either side stay there. */
  function callForBytes(
    method: string,
    start: (callback: ForeignCallback<readonly [Buffer?]>) => void,
    given: SecurityClientOptions,
  ): Promise<Uint8Array> {
    const read = (value: unknown): Uint8Array => {
      if (value instanceof Uint8Array) return Uint8Array.from(value);
      throw calls.unusable(method, 'called back without bytes');
    };
    return calls.call(method, start, read, given);
  }

  const getEndorsementKey = (given: SecurityClientOptions = {}): Promise<Uint8Array> =>
    callForBytes('getEndorsementKey', (callback) => securityClient.getEndorsementKey(callback), given);

  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    getEndorsementKey,
    getStorageRootKey: (given = {}) =>
      callForBytes('getStorageRootKey', (callback) => securityClient.getStorageRootKey(callback), given),
    async getRegistrationId(given = {}) {
      if (securityClient.getRegistrationId === undefined) {
        return deriveRegistrationId(await getEndorsementKey(given));
      }
      return calls.registrationId((callback) => securityClient.getRegistrationId?.(callback), given);
    },
    async activateIdentityKey(activationBlob, given = {}) {
      if (!(activationBlob instanceof Uint8Array)) {
        throw new InvalidArgumentError('activationBlob', 'must be a Uint8Array');
      }
      if (checkActivationBlob) splitActivationBlob(activationBlob);
      const key = Buffer.from(activationBlob);
      const start = (callback: ForeignCallback<readonly []>): void =>
        securityClient.activateIdentityKey(key, callback);
      await calls.call('activateIdentityKey', start, () => undefined, given);
    },
    async signWithIdentity(data, given = {}) {
      if (!(data instanceof Uint8Array)) throw new InvalidArgumentError('data', 'must be a Uint8Array');
      const toSign = Buffer.from(data);
      const start = (callback: ForeignCallback<readonly [Buffer?]>): void =>
        securityClient.signWithIdentity(toSign, callback);
      return callForBytes('signWithIdentity', start, given);
    },
  };
}
