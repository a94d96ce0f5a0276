import type { Clock, SecurityClientOptions, TpmSecurityClient } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { deriveRegistrationId, splitActivationBlob } from '@endorse/protocol';
import type { AzureTpmSecurityClient } from './azure-types.ts';
import { CallQueue } from './call-queue.ts';
import { callOnce } from './callbacks.ts';
import type { ForeignCallback } from './callbacks.ts';
import { AzureTpmError, noteOriginal } from './errors.ts';

/** Options of {@link fromAzureTpmSecurityClient}. */
export interface FromAzureTpmSecurityClientOptions {
  /**
   * How long a call may take before it rejects with `ERR_TIMEOUT`; default 120,000 ms, 1 to 3,600,000. The official
   * client loses callbacks on some errors, and the first call to a hardware TPM creates its keys.
   */
  readonly callTimeoutMs?: number | undefined;
  /**
   * Refuses a malformed activation blob (`ERR_REMOTE_MALFORMED`) before the client sees it; default true. The official
   * client reads blobs in the callback of a socket, where an exception ends the process.
   */
  readonly checkActivationBlob?: boolean | undefined;
  /** Time; default the system clock. */
  readonly clock?: Clock | undefined;
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
 * recalled, is over, at the latest after 5 s; the next call waits until it is over. Errors are `AzureTpmError`, the original as
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
  const { checkActivationBlob = true, callTimeoutMs = 120_000, clock = systemClock } = options;
  checkClient(securityClient);
  if (!Number.isInteger(callTimeoutMs) || callTimeoutMs < 1 || callTimeoutMs > 3_600_000) {
    throw new InvalidArgumentError(
      'callTimeoutMs',
      'must be whole milliseconds from 1 to 3,600,000',
      'ERR_OUT_OF_RANGE',
    );
  }
  const queue = new CallQueue(clock, callTimeoutMs);

  function call<Value>(
    method: keyof AzureTpmSecurityClient,
    start: (callback: ForeignCallback<readonly [Value?]>) => void,
    { signal }: SecurityClientOptions,
  ): Promise<Value | undefined> {
    const work = async (): Promise<Value | undefined> => {
      try {
        const [value] = await callOnce(start);
        return value;
      } catch (error) {
        throw toTpmError(method, error);
      }
    };
    return queue.run(method, work, signal);
  }

  const getEndorsementKey = async (given: SecurityClientOptions = {}): Promise<Uint8Array> =>
    toBytes(
      'getEndorsementKey',
      await call('getEndorsementKey', (callback) => securityClient.getEndorsementKey(callback), given),
    );

  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    getEndorsementKey,
    async getStorageRootKey(given = {}) {
      const start = (callback: ForeignCallback<readonly [Buffer?]>): void =>
        securityClient.getStorageRootKey(callback);
      return toBytes('getStorageRootKey', await call('getStorageRootKey', start, given));
    },
    async getRegistrationId(given = {}) {
      if (securityClient.getRegistrationId === undefined) {
        return deriveRegistrationId(await getEndorsementKey(given));
      }
      const id = await call<string>(
        'getRegistrationId',
        (callback) => securityClient.getRegistrationId?.(callback),
        given,
      );
      if (typeof id === 'string') return id;
      throw new AzureTpmError('getRegistrationId', 'getRegistrationId called back without a registration id');
    },
    async activateIdentityKey(activationBlob, given = {}) {
      if (!(activationBlob instanceof Uint8Array)) {
        throw new InvalidArgumentError('activationBlob', 'must be a Uint8Array');
      }
      if (checkActivationBlob) splitActivationBlob(activationBlob);
      const key = Buffer.from(activationBlob);
      await call(
        'activateIdentityKey',
        (callback) => securityClient.activateIdentityKey(key, callback),
        given,
      );
    },
    async signWithIdentity(data, given = {}) {
      if (!(data instanceof Uint8Array)) throw new InvalidArgumentError('data', 'must be a Uint8Array');
      const toSign = Buffer.from(data);
      const start = (callback: ForeignCallback<readonly [Buffer?]>): void =>
        securityClient.signWithIdentity(toSign, callback);
      return toBytes('signWithIdentity', await call('signWithIdentity', start, given));
    },
  };
}

const requiredMethods = [
  'getEndorsementKey',
  'getStorageRootKey',
  'activateIdentityKey',
  'signWithIdentity',
] as const;

function checkClient(securityClient: AzureTpmSecurityClientLike): void {
  const missing = requiredMethods.find((name) => typeof securityClient?.[name] !== 'function');
  if (missing !== undefined) throw new InvalidArgumentError('securityClient', `has no method ${missing}`);
}

/** A copy, so that later changes on either side stay there. */
function toBytes(method: string, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  throw new AzureTpmError(method, `${method} called back without bytes`);
}

function toTpmError(method: string, error: unknown): AzureTpmError {
  const message = `${method}: ${error instanceof Error ? error.message : String(error)}`;
  return noteOriginal(new AzureTpmError(method, message, { cause: error }), error);
}
