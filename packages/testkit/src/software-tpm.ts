import { createHmac } from 'node:crypto';
import type { SecurityClientOptions, TpmSecurityClient } from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { deriveRegistrationId } from '@endorse/protocol';
import { TpmError } from '@endorse/tpm2';
import { openActivation } from './software-activation.ts';
import type { SoftwareTpmAlgorithm, SoftwareTpmKeys } from './software-tpm-keys.ts';
import { generateSoftwareTpmKeys } from './software-tpm-keys.ts';

/** The calls of a TPM security client. */
export type SoftwareTpmCall = Exclude<keyof TpmSecurityClient, 'specificationVersion' | 'kind'>;

/** Options of {@link createSoftwareTpm}. */
export interface SoftwareTpmOptions {
  /** EK and SRK to use, so that several doubles are the same TPM; default: fresh ones (about 0.2 s). */
  readonly keys?: SoftwareTpmKeys;
  /** Kind of the fresh keys; default `rsa`. */
  readonly algorithm?: SoftwareTpmAlgorithm;
  /** Registration id; default: derived from the endorsement key. */
  readonly registrationId?: string;
  /**
   * Runs before every call: throw to make it fail, wait to make it slow.
   * What it awaits is cut short when the call's signal is aborted.
   */
  readonly onCall?: (call: SoftwareTpmCall, signal: AbortSignal) => void | Promise<void>;
}

/** A TPM security client whose TPM is `node:crypto`. */
export interface SoftwareTpm extends TpmSecurityClient, AsyncDisposable {
  /** The EK and SRK pairs, to make a second double of the same TPM. */
  readonly keys: SoftwareTpmKeys;
  /** Every call so far, in order. */
  readonly calls: readonly SoftwareTpmCall[];
  /** True once a key was activated. */
  readonly hasIdentityKey: boolean;
  /** Forgets the keys; later calls reject with `ERR_SESSION_CLOSED`. Harmless when repeated. */
  dispose(): Promise<void>;
}

/**
 * Makes a TPM double: EK and SRK are OpenSSL keys, activation blobs are really decrypted with them, and signatures
 * are HMACs under the key that was inside. Calls are served one at a time, as a TPM does. A blob that a TPM would
 * refuse rejects with an `ERR_TPM_…` code and leaves the key that worked before.
 */
export async function createSoftwareTpm(options: SoftwareTpmOptions = {}): Promise<SoftwareTpm> {
  const keys = options.keys ?? (await generateSoftwareTpmKeys(options.algorithm));
  const registrationId = options.registrationId ?? deriveRegistrationId(keys.endorsementKey);
  const calls: SoftwareTpmCall[] = [];
  const closing = new AbortController();
  let identityKey: Uint8Array | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  /** Queues one call behind the others; abort and disposal cut it short. */
  function serve<Value>(
    call: SoftwareTpmCall,
    { signal: given }: SecurityClientOptions,
    work: () => Value,
  ): Promise<Value> {
    const signal = given ?? new AbortController().signal;
    if (signal.aborted) return Promise.reject(signal.reason);
    if (closing.signal.aborted) return Promise.reject(closing.signal.reason);
    const run = queue.then(async () => {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      calls.push(call);
      await options.onCall?.(call, signal);
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      return work();
    });
    const ended = cutShort(run, signal, closing.signal);
    // A cut-short call frees the queue at once: its hook may never return.
    queue = ended.catch(() => undefined);
    return ended;
  }

  const dispose = async (): Promise<void> => {
    identityKey?.fill(0);
    identityKey = undefined;
    closing.abort(
      new LocalProtocolError('ERR_SESSION_CLOSED', 'the software TPM was disposed of', { state: 'disposed' }),
    );
  };

  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    keys,
    calls,
    get hasIdentityKey() {
      return identityKey !== undefined;
    },
    getRegistrationId: (call = {}) => serve('getRegistrationId', call, () => registrationId),
    getEndorsementKey: (call = {}) => serve('getEndorsementKey', call, () => keys.endorsementKey.slice()),
    getStorageRootKey: (call = {}) => serve('getStorageRootKey', call, () => keys.storageRootKey.slice()),
    activateIdentityKey: async (activationBlob, call = {}) => {
      requireBytes('activationBlob', activationBlob);
      await serve('activateIdentityKey', call, () => {
        const activated = openActivation(keys, activationBlob);
        identityKey?.fill(0);
        identityKey = activated;
      });
    },
    signWithIdentity: async (data, call = {}) => {
      requireBytes('data', data);
      return serve('signWithIdentity', call, () => {
        // What a TPM says to a persistent handle that holds nothing: TPM_RC_HANDLE.
        if (identityKey === undefined) throw new TpmError('HMAC', 0x18b);
        return Uint8Array.from(createHmac('sha256', identityKey).update(data).digest());
      });
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function requireBytes(argument: string, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw new InvalidArgumentError(argument, 'must be a Uint8Array');
}

/** Settles as `run` does, or rejects as soon as one of the signals is aborted. */
function cutShort<Value>(run: Promise<Value>, ...signals: readonly AbortSignal[]): Promise<Value> {
  return new Promise((resolve, reject) => {
    const listeners = signals.map((signal) => {
      const listener = (): void => {
        release();
        reject(signal.reason);
      };
      signal.addEventListener('abort', listener, { once: true });
      return { signal, listener };
    });
    const release = (): void => {
      for (const { signal, listener } of listeners) signal.removeEventListener('abort', listener);
    };
    run.finally(release).then(resolve, reject);
  });
}
