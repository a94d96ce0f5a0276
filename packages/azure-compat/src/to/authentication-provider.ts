import { EventEmitter } from 'node:events';
import type { Clock, HubToken, HubTokenProvider } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { AzureCallback } from '../azure-types.ts';

/** What a transport of the official device client connects with; `TransportConfig` there. */
export interface AzureDeviceCredentials {
  /** Host name of the hub, with a port when it is not the carrier's own. */
  readonly host: string;
  readonly deviceId: string;
  readonly moduleId?: string;
  /** The SAS token. */
  readonly sharedAccessSignature: string;
}

/** Where tokens come from and whom they are for. */
export interface AzureAuthenticationProviderOptions {
  /** Makes and renews tokens, `createHubTokenProvider()` of `@endorse/security-tpm` for example. */
  readonly tokens: HubTokenProvider;
  /** Host name of the assigned hub, with a port when it is not the carrier's own. */
  readonly hubHost: string;
  readonly deviceId: string;
  /** For a token of one module; default none. */
  readonly moduleId?: string | undefined;
  /** Time; default the system clock. */
  readonly clock?: Clock | undefined;
}

/** `AuthenticationType.Token` of the official SDK. */
const tokenType = 1;
/** Which part of a token's life passes before the next is asked for: later than a token provider renews by default. */
const renewedAfter = 0.87;
/** A token that was not renewed yet is asked for again after this part of what is left. */
const askedAgainAfter = 0.25;
const shortestPauseMs = 1_000;

/**
 * The authentication provider of the official device client (`Client.fromAuthenticationProvider`), on tokens of ours:
 * with those of a TPM the key never leaves it. Emits `newTokenAvailable` with new credentials before the old expire.
 */
export class AzureAuthenticationProvider extends EventEmitter {
  /** Tells the transports that it is about tokens. */
  readonly type: number = tokenType;
  readonly #options: AzureAuthenticationProviderOptions;
  readonly #clock: Clock;
  #renewing: AbortController | undefined;

  /** Throws `ERR_INVALID_ARGUMENT` for an option that is missing. */
  constructor(options: AzureAuthenticationProviderOptions) {
    super();
    if (typeof options?.tokens?.getToken !== 'function') {
      throw new InvalidArgumentError('options.tokens', 'must be a HubTokenProvider');
    }
    for (const name of ['hubHost', 'deviceId'] as const) {
      if (typeof options[name] !== 'string' || options[name] === '') {
        throw new InvalidArgumentError(`options.${name}`, 'must be a text that is not empty');
      }
    }
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Resolves to credentials with a valid token, or calls back; renewing goes on from here until {@link stop}. */
  getDeviceCredentials(): Promise<AzureDeviceCredentials>;
  getDeviceCredentials(callback: AzureCallback<AzureDeviceCredentials>): void;
  getDeviceCredentials(
    callback?: AzureCallback<AzureDeviceCredentials>,
  ): Promise<AzureDeviceCredentials> | undefined {
    const credentials = this.#credentials();
    if (callback === undefined) return credentials;
    credentials.then(
      (value) => callback(null, value),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
    return undefined;
  }

  /** Ends the renewing; the client calls it when it closes. */
  stop(): void {
    this.#renewing?.abort();
    this.#renewing = undefined;
  }

  async #credentials(): Promise<AzureDeviceCredentials> {
    const token = await this.#options.tokens.getToken();
    if (this.#renewing === undefined) {
      this.#renewing = new AbortController();
      void this.#renew(token, this.#renewing.signal);
    }
    return this.#describe(token);
  }

  async #renew(first: HubToken, signal: AbortSignal): Promise<void> {
    let current = first;
    let share = renewedAfter;
    while (!signal.aborted) {
      const leftMs = current.expiresAt - this.#clock.now();
      try {
        await this.#clock.sleep(Math.max(shortestPauseMs, leftMs * share), signal);
        const next = await this.#options.tokens.getToken({ signal });
        const isNew = next.expiresAt !== current.expiresAt;
        share = isNew ? renewedAfter : askedAgainAfter;
        current = next;
        if (isNew) this.emit('newTokenAvailable', this.#describe(next));
      } catch (error) {
        if (signal.aborted) return;
        share = askedAgainAfter;
        // Without a listener, an event of this name would end the program.
        if (this.listenerCount('error') > 0) this.emit('error', error);
      }
    }
  }

  #describe({ sasToken }: HubToken): AzureDeviceCredentials {
    const { hubHost: host, deviceId, moduleId } = this.#options;
    return {
      host,
      deviceId,
      ...(moduleId === undefined ? {} : { moduleId }),
      sharedAccessSignature: sasToken.revealText(),
    };
  }
}

/** Makes an {@link AzureAuthenticationProvider}. Throws `ERR_INVALID_ARGUMENT` for an option that is missing. */
export function toAzureAuthenticationProvider(
  options: AzureAuthenticationProviderOptions,
): AzureAuthenticationProvider {
  return new AzureAuthenticationProvider(options);
}
