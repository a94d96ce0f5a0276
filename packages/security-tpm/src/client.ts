import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import type {
  Logger,
  NonceDecryptingSecurityClient,
  Secret,
  SecurityClientOptions,
} from '@endorse/interface';
import { deriveRegistrationId } from '@endorse/protocol';
import { TpmError } from '@endorse/tpm2';
import { checkClientOptions } from './client-options.ts';
import type { TpmSecurityClientOptions } from './client-options.ts';
import { TpmDeviceError, TpmKeyError } from './errors.ts';
import { createTpmExecutor } from './executor/executor.ts';
import type { TpmExecutor } from './executor/executor.ts';
import type { TpmScope } from './executor/scope.ts';
import { activateCredential, activateIdentityKey } from './keys/activate.ts';
import { parseActivationBlob } from './keys/activation-blob.ts';
import { openNonce, parseNonceBlob } from './keys/nonce.ts';
import { createAuthValues } from './keys/auth-value.ts';
import type { WithAuthValues } from './keys/auth-value.ts';
import { findOrCreateKey } from './keys/find-or-create.ts';
import type { KeyPlan, KeyPlans } from './keys/key-plan.ts';
import { planKeys } from './keys/key-plan.ts';
import { findIdentityKey } from './keys/identity-slots.ts';
import type { LoadedKey } from './keys/read-key.ts';
import { readInputBufferBytes, signWithKey } from './keys/sign.ts';
import { noProtection, startProtection } from './session/protection.ts';
import type { SessionMode } from './session/protection.ts';

/** A TPM security client that holds a connection. */
export interface TpmSecurityClientHandle extends NonceDecryptingSecurityClient, AsyncDisposable {
  /** The executor behind it, for other commands on the same TPM. */
  readonly executor: TpmExecutor;
  /**
   * Opens a credential that was made for this TPM's endorsement key and storage root key (TPM2_MakeCredential), and
   * resolves with the secret in it. Both parts are the inner bytes of their TPM2B. Rejects with a `TpmError`, for example
   * `ERR_TPM_INTEGRITY` for a credential of another TPM.
   */
  activateCredential(
    credential: { readonly idObject: Uint8Array; readonly encryptedSecret: Uint8Array },
    options?: SecurityClientOptions,
  ): Promise<Uint8Array>;
  /** Waits for what is running, then closes what the client opened. Bounded in time, harmless when repeated, never rejects. */
  close(): Promise<void>;
}

/**
 * Opens a TPM as the identity of a device.
 *
 * Rejects with `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for the options, and as `openTpmDevice` does. The methods
 * reject with a `TpmError` (code and decoded response code) when the TPM refuses, a `TpmDeviceError` when it cannot be
 * reached, a `TpmKeyError` when a key is not what it has to be, `ERR_TPM_BLOB` for an unusable activation blob, and
 * with the reason of their signal; nothing stays loaded then either.
 */
export async function createTpmSecurityClient(
  options: TpmSecurityClientOptions,
): Promise<TpmSecurityClientHandle> {
  checkClientOptions(options);
  const plans = planKeys(options);
  const { tpm } = options;
  const given = typeof tpm === 'object' && 'exclusive' in tpm ? tpm : undefined;
  const executor = given ?? (await createTpmExecutor(tpm as Exclude<typeof tpm, TpmExecutor>, options));
  return new TpmClient(executor, given === undefined, plans, options);
}

class TpmClient implements TpmSecurityClientHandle {
  readonly specificationVersion = 'v1';
  readonly kind = 'tpm';
  readonly executor: TpmExecutor;
  readonly #ownsExecutor: boolean;
  readonly #options: TpmSecurityClientOptions;
  readonly #plans: KeyPlans;
  readonly #mode: SessionMode;
  readonly #logger: Logger;
  readonly #withAuthValues: WithAuthValues;
  #endorsementKey: LoadedKey | undefined;
  #storageRootKey: LoadedKey | undefined;
  #inputBufferBytes: number | undefined;
  #closed = false;

  constructor(
    executor: TpmExecutor,
    ownsExecutor: boolean,
    plans: KeyPlans,
    options: TpmSecurityClientOptions,
  ) {
    this.executor = executor;
    this.#ownsExecutor = ownsExecutor;
    this.#plans = plans;
    this.#options = options;
    this.#mode = options.sessions ?? 'protected';
    this.#logger = options.logger ?? silentLogger;
    this.#withAuthValues = createAuthValues(options.ownerAuth, options.endorsementAuth);
  }

  async getRegistrationId(options: SecurityClientOptions = {}): Promise<string> {
    this.#checkOpen();
    options.signal?.throwIfAborted();
    return this.#options.registrationId ?? deriveRegistrationId(await this.getEndorsementKey(options));
  }

  async getEndorsementKey({ signal }: SecurityClientOptions = {}): Promise<Uint8Array> {
    const key = await this.#exclusive((scope) => this.#findEndorsementKey(scope, signal), signal);
    return Uint8Array.from(key.tpm2bPublic);
  }

  async getStorageRootKey({ signal }: SecurityClientOptions = {}): Promise<Uint8Array> {
    const key = await this.#exclusive((scope) => this.#findStorageRootKey(scope, signal), signal);
    return Uint8Array.from(key.tpm2bPublic);
  }

  async activateIdentityKey(
    activationBlob: Uint8Array,
    { signal }: SecurityClientOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const blob = parseActivationBlob(activationBlob);
    await this.#exclusive(async (scope) => {
      const endorsementKey = await this.#findEndorsementKey(scope, signal);
      const storageRootKey = await this.#findStorageRootKey(scope, signal);
      await this.#withAuthValues((authValues) =>
        activateIdentityKey(scope, blob, {
          endorsementKey,
          storageRootKey,
          mode: this.#mode,
          strategy: this.#options.identityKeyHandles ?? 'alternate',
          authValues,
          random: this.executor.random,
          logger: this.#logger,
          signal,
        }),
      );
    }, signal);
  }

  async activateCredential(
    { idObject, encryptedSecret }: { readonly idObject: Uint8Array; readonly encryptedSecret: Uint8Array },
    { signal }: SecurityClientOptions = {},
  ): Promise<Uint8Array> {
    if (!(idObject instanceof Uint8Array) || !(encryptedSecret instanceof Uint8Array)) {
      throw new InvalidArgumentError(
        'credential',
        'must hold idObject and encryptedSecret, each a Uint8Array',
      );
    }
    return this.#exclusive(async (scope) => {
      const endorsementKey = await this.#findEndorsementKey(scope, signal);
      const storageRootKey = await this.#findStorageRootKey(scope, signal);
      const session = { random: this.executor.random, signal };
      const protection = await startProtection(scope, this.#mode, endorsementKey, session);
      return this.#withAuthValues((authValues) =>
        activateCredential(scope, { idObject, encryptedSecret }, protection, {
          endorsementKey,
          storageRootKey,
          authValues,
          ...session,
        }),
      );
    }, signal);
  }

  async decryptNonce(nonceBlob: Uint8Array, { signal }: SecurityClientOptions = {}): Promise<Secret> {
    signal?.throwIfAborted();
    const nonce = parseNonceBlob(nonceBlob);
    return openNonce(await this.activateCredential(nonce, { signal }), nonce);
  }

  async signWithIdentity(data: Uint8Array, { signal }: SecurityClientOptions = {}): Promise<Uint8Array> {
    if (!(data instanceof Uint8Array)) throw new InvalidArgumentError('data', 'must be a Uint8Array');
    return this.#exclusive(async (scope) => {
      const key = await findIdentityKey(scope, this.#options.identityKeyHandles ?? 'alternate', signal);
      const inputBufferBytes = (this.#inputBufferBytes ??= await readInputBufferBytes(scope, signal));
      const protection =
        this.#mode === 'none'
          ? noProtection
          : await startProtection(scope, this.#mode, await this.#findEndorsementKey(scope, signal), {
              random: this.executor.random,
              signal,
            });
      return signWithKey(scope, key, data, { protection, inputBufferBytes, signal });
    }, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#ownsExecutor) await this.executor.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM security client was closed');
  }

  /** One operation. When the TPM refuses it, what was cached of its keys is read anew next time. */
  async #exclusive<T>(section: (scope: TpmScope) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    this.#checkOpen();
    try {
      return await this.executor.exclusive(section, { signal });
    } catch (error) {
      if (error instanceof TpmError) {
        this.#endorsementKey = undefined;
        this.#storageRootKey = undefined;
      }
      throw error;
    }
  }

  async #findEndorsementKey(scope: TpmScope, signal: AbortSignal | undefined): Promise<LoadedKey> {
    this.#endorsementKey ??= this.#checkPinned(
      await this.#findOrCreate(scope, this.#plans.endorsementKey, signal),
    );
    return this.#endorsementKey;
  }

  async #findStorageRootKey(scope: TpmScope, signal: AbortSignal | undefined): Promise<LoadedKey> {
    this.#storageRootKey ??= await this.#findOrCreate(scope, this.#plans.storageRootKey, signal);
    return this.#storageRootKey;
  }

  #findOrCreate(scope: TpmScope, plan: KeyPlan, signal: AbortSignal | undefined): Promise<LoadedKey> {
    return findOrCreateKey(scope, plan, {
      mode: this.#mode,
      mayCreate: this.#options.createKeys ?? true,
      withAuthValues: this.#withAuthValues,
      saltKey: this.#endorsementKey ?? this.#storageRootKey,
      random: this.executor.random,
      signal,
    });
  }

  #checkPinned(key: LoadedKey): LoadedKey {
    const { pinnedEkName } = this.#options;
    if (pinnedEkName === undefined || Buffer.from(key.name).equals(pinnedEkName)) return key;
    throw new TpmKeyError(
      'ERR_TPM_EK_NOT_PINNED',
      'the endorsement key is not the one with the pinned Name',
      {
        handle: key.handle,
        remedy: 'This is another TPM than the one that was enrolled, or its keys were cleared.',
      },
    );
  }
}
