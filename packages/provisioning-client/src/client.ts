import type { Clock, JsonValue, PumpTransportProvider, Transport } from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import { ProvisioningClientLL } from './client-ll.ts';
import type { ProvisioningClientOptions } from './client-options.ts';
import type { ProvDeviceFailure } from './errors.ts';
import { ProvisioningClientError } from './errors.ts';
import type { ProvDeviceRegStatus } from './results.ts';
import { ProvDeviceResult, nameOfResult } from './results.ts';
import type { Assignment } from './service-reply.ts';
import type { ProvisioningOptionName, ProvisioningOptionValues } from './settings.ts';
import { systemClock } from './system-ports.ts';

/** Values of the options of {@link ProvisioningClient}, by name. */
export interface ProvisioningClientOptionValues extends ProvisioningOptionValues {
  /** Pause between two turns of the pump, in whole milliseconds, 1 to 65,535; default 10. */
  readonly do_work_freq_ms: number;
}

/** Options of {@link ProvisioningClient.registerDevice}. */
export interface RegisterDeviceOptions {
  /** Ends the registration; the promise rejects with its reason. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Told how far the registration has come; what it throws ends the registration. Default nobody. */
  readonly onStatus?: ((status: ProvDeviceRegStatus) => void) | undefined;
}

/** The provisioning client that pumps itself: the same machine, behind a promise. */
export class ProvisioningClient implements AsyncDisposable {
  readonly #client: ProvisioningClientLL;
  readonly #clock: Clock;
  #frequencyMs = 10;
  #running: { readonly ending: AbortController; readonly ended: Promise<unknown> } | undefined;

  private constructor(client: ProvisioningClientLL, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * Makes a client, with the arguments of `ProvisioningClientLL.create`. Rejects with the error that tells why it cannot:
   * `ERR_INVALID_ARGUMENT`, `ERR_OUT_OF_RANGE`, `ERR_UNSUPPORTED_CAPABILITY`, `ERR_TIMEOUT`, or that of the security client.
   */
  static async create(
    uri: string,
    scopeId: string | null | undefined,
    protocol: PumpTransportProvider | Transport,
    options: Omit<ProvisioningClientOptions, 'onCreateError'>,
  ): Promise<ProvisioningClient> {
    let failure: Error | undefined;
    const onCreateError = (error: Error): void => {
      failure = error;
    };
    const client = await ProvisioningClientLL.create(uri, scopeId, protocol, { ...options, onCreateError });
    if (client === null)
      throw failure ?? new LocalProtocolError('ERR_LOCAL_STATE', 'the client could not be made');
    return new ProvisioningClient(client, options.clock ?? systemClock);
  }

  /** The version of this package. */
  getVersionString(): string {
    return this.#client.getVersionString();
  }

  /** The security client's, or the one set by option. */
  get registrationId(): string {
    return this.#client.registrationId;
  }

  /**
   * Registers the device. Resolves to hub, device id and, if the service sent one, a payload. Rejects with the reason of
   * the signal, or with a {@link ProvisioningClientError}: of `result` `ERROR` while another registration is under way
   * or after {@link close}.
   */
  async registerDevice({ signal, onStatus }: RegisterDeviceOptions = {}): Promise<Assignment> {
    signal?.throwIfAborted();
    let outcome: Assignment | ProvisioningClientError | undefined;
    const result = this.#client.registerDevice(
      (registerResult, iothubUri, deviceId) => {
        const payload = this.#client.getProvisioningPayload();
        outcome =
          iothubUri === null || deviceId === null
            ? (this.#client.lastError ?? failureOf(registerResult))
            : { iothubUri, deviceId, ...(payload === undefined ? {} : { payload }) };
      },
      undefined,
      (status) => onStatus?.(status),
    );
    if (result !== ProvDeviceResult.OK) throw failureOf(result);
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const run = this.#pump(() => outcome, ending.signal);
    this.#running = { ending, ended: run.catch(() => undefined) };
    try {
      const ended = await run;
      if (ended instanceof ProvisioningClientError) throw ended;
      return ended;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#running = undefined;
    }
  }

  /**
   * Sets an option, between registrations; see `ProvisioningClientLL.setOption`. `do_work_freq_ms` may change at any time.
   */
  setOption<Name extends keyof ProvisioningClientOptionValues>(
    optionName: Name,
    value: ProvisioningClientOptionValues[Name],
  ): ProvDeviceResult {
    if (optionName !== 'do_work_freq_ms') {
      return this.#client.setOption<ProvisioningOptionName>(optionName, value);
    }
    const frequencyMs: unknown = value;
    if (!Number.isInteger(frequencyMs) || Number(frequencyMs) < 1 || Number(frequencyMs) > 65_535) {
      return ProvDeviceResult.INVALID_ARG;
    }
    this.#frequencyMs = Number(frequencyMs);
    return ProvDeviceResult.OK;
  }

  /** Sets the payload of the next registrations; see `ProvisioningClientLL.setProvisioningPayload`. */
  setProvisioningPayload(payload: JsonValue | null): ProvDeviceResult {
    return this.#client.setProvisioningPayload(payload);
  }

  /** Ends a registration that is under way, which rejects with `ERR_SESSION_CLOSED`, and lets go of everything. Harmless when repeated. */
  async close(): Promise<void> {
    const running = this.#running;
    running?.ending.abort(
      new LocalProtocolError('ERR_SESSION_CLOSED', 'the provisioning client was closed', { state: 'closed' }),
    );
    await running?.ended;
    this.#client.destroy();
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #pump<Outcome>(outcome: () => Outcome | undefined, signal: AbortSignal): Promise<Outcome> {
    try {
      for (;;) {
        this.#client.doWork();
        const ended = outcome();
        if (ended !== undefined) return ended;
        await this.#clock.sleep(this.#frequencyMs, signal);
      }
    } catch (error) {
      this.#client.cancelRegistration();
      throw error;
    }
  }
}

function failureOf(result: ProvDeviceResult): ProvisioningClientError {
  const failure =
    result === ProvDeviceResult.OK || result === ProvDeviceResult.SUCCESS ? ProvDeviceResult.ERROR : result;
  const reasons: Partial<Record<ProvDeviceFailure, string>> = {
    [ProvDeviceResult.INVALID_ARG]: 'the client was closed',
    [ProvDeviceResult.ERROR]:
      'another registration is under way, or one of x509certificate and x509privatekey is missing',
  };
  return new ProvisioningClientError(
    failure,
    `${nameOfResult(failure)}: ${reasons[failure] ?? 'the registration failed'}`,
  );
}
