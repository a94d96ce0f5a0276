import type { JsonValue } from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { RegistrationDefaults } from '@endorse/registration-core';
import { TpmRegistration } from '@endorse/registration-core';
import type {
  AzureDeviceRegistrationResult,
  AzureErrorCallback,
  AzureTpmProvisioningTransport,
} from '../azure-types.ts';
import type { CallbackTpmTransport, TpmRegistrationResult } from './callback-transport.ts';
import { fromCallbackTpmTransport } from './callback-transport.ts';
import { answer, dual, requireCallback } from '../callbacks.ts';
import { originalOf } from '../errors.ts';
import { fromAzureTpmSecurityClient } from '../from/tpm-security-client.ts';
import type { AzureTpmSecurityClientLike } from '../from/tpm-security-client.ts';
import { fromAzureTransport } from '../from/transport.ts';

/** The transports that {@link AzureTpmRegistration} takes. */
export type AzureRegistrationTransport = AzureTpmProvisioningTransport | CallbackTpmTransport;

/** What a registration over the given transport results in. */
export type AzureRegistrationResult<Carrier extends AzureRegistrationTransport> =
  Carrier extends AzureTpmProvisioningTransport ? AzureDeviceRegistrationResult : TpmRegistrationResult;

/** Takes the end of a registration: an error, or null and what the transport returned. */
export type AzureRegistrationCallback<Carrier extends AzureRegistrationTransport> = (
  error: Error | null,
  result?: AzureRegistrationResult<Carrier>,
) => void;

/** Options of {@link AzureTpmRegistration}; all of `register()` hold, with these differences. */
export interface AzureTpmRegistrationOptions extends RegistrationDefaults {
  /** Bounds of what is repeated. Default here: nothing, as in the official client; any failure goes to the callback. */
  readonly retry?: RegistrationDefaults['retry'];
  /** Refuses malformed activation blobs before the security client sees them; default false. See `FromAzureTpmSecurityClientOptions`. */
  readonly checkActivationBlob?: boolean | undefined;
}

const noRetries = { maxRetries: 0, maxTokenRefusals: 0, maxRestarts: 0 } as const;

/** Longest limit of one request, in milliseconds. */
const maxStepTimeoutMs = 3_600_000;

/**
 * The `TpmRegistration` of the official SDK, with its callbacks, on our machine.
 *
 * It takes a security client and a transport of the official SDK, or written for
 * it, and gives back what the transport returned: the whole operation with an
 * official transport, the `TpmRegistrationResult` with a `CallbackTpmTransport`.
 * Unlike the official one it always calls back, exactly once, also when it is
 * cancelled, and can be used again after it completed.
 */
export class AzureTpmRegistration<Carrier extends AzureRegistrationTransport> {
  readonly #registration: TpmRegistration;
  #result: AzureRegistrationResult<Carrier> | undefined;

  /** Throws `ERR_INVALID_ARGUMENT` for an unusable argument, an object without the methods among them. */
  constructor(
    provisioningHost: string,
    idScope: string,
    transport: Carrier,
    securityClient: AzureTpmSecurityClientLike,
    options: AzureTpmRegistrationOptions = {},
  ) {
    const { checkActivationBlob = false, ...defaults } = options;
    const { clock = systemClock, deadlineMs = 300_000 } = defaults;
    const adapterOptions = {
      clock,
      // The adapters decode what they pass on; what the transport called back with is of the transport's own type.
      onResult: (result: unknown): void => void (this.#result = result as AzureRegistrationResult<Carrier>),
    };
    // One call of a callback transport is the whole registration, polling included.
    const stepTimeoutMs = isOfficial(transport) ? undefined : Math.min(deadlineMs, maxStepTimeoutMs);
    this.#registration = new TpmRegistration(
      provisioningHost,
      idScope,
      isOfficial(transport)
        ? fromAzureTransport(() => transport, adapterOptions)
        : fromCallbackTpmTransport(transport, adapterOptions),
      fromAzureTpmSecurityClient(securityClient, { clock, checkActivationBlob, ...timeoutOf(defaults) }),
      {
        ...(stepTimeoutMs === undefined ? {} : { stepTimeoutMs }),
        ...defaults,
        retry: { ...noRetries, ...defaults.retry },
      },
    );
  }

  /** Sets the payload for the custom allocation function of later registrations. Throws `ERR_INVALID_ARGUMENT`. */
  setProvisioningPayload(payload: JsonValue | undefined): void {
    this.#registration.setProvisioningPayload(payload);
  }

  /**
   * Registers. Calls back with the very error that the failing part gave, or with
   * `RegistrationCancelledError`, `ERR_TIMEOUT` or an `ERR_REGISTRATION_…` code. Without a
   * callback it returns a promise.
   */
  register(callback: AzureRegistrationCallback<Carrier>): void;
  /** Registers; rejects with what the callback would get as its error. */
  register(): Promise<AzureRegistrationResult<Carrier>>;
  register(callback?: AzureRegistrationCallback<Carrier>): Promise<AzureRegistrationResult<Carrier>> | void {
    return dual(() => this.#register(), callback);
  }

  /** Interrupts the registration in progress and calls back when it is over; at once when there is none. */
  cancel(callback: AzureErrorCallback): void;
  /** Interrupts the registration in progress; resolves when it is over. */
  cancel(): Promise<void>;
  cancel(callback?: AzureErrorCallback): Promise<void> | void {
    if (callback === undefined) return this.#registration.cancel();
    requireCallback(callback);
    answer(this.#registration.cancel(), (error) => callback(error));
  }

  async #register(): Promise<AzureRegistrationResult<Carrier>> {
    try {
      await this.#registration.register();
    } catch (error) {
      throw originalOf(error);
    }
    // Every way to an assignment leads through an answer of the transport.
    if (this.#result === undefined)
      throw new LocalProtocolError('ERR_LOCAL_STATE', 'assigned without an answer');
    return this.#result;
  }
}

function isOfficial(transport: AzureRegistrationTransport): transport is AzureTpmProvisioningTransport {
  return typeof transport === 'object' && transport !== null && 'registrationRequest' in transport;
}

/** The limit of the machine's step is the limit of the call behind it. */
function timeoutOf({ securityTimeoutMs }: RegistrationDefaults): { readonly callTimeoutMs?: number } {
  return securityTimeoutMs === undefined ? {} : { callTimeoutMs: securityTimeoutMs };
}
