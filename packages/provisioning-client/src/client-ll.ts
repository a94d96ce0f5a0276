import type { JsonValue, PumpTransportProvider, Transport } from '@endorse/interface';
import type {
  ProvisioningClientOptions,
  RegisterDeviceCallback,
  RegisterStatusCallback,
} from './client-options.ts';
import type { ClientParts, PreparedClient } from './create.ts';
import { createConversation, prepareClient } from './create.ts';
import { RegistrationPump } from './driver/registration-pump.ts';
import type { ProvisioningClientError } from './errors.ts';
import type { RunOutcome, StateName } from './machine/index.ts';
import { ProvDeviceResult } from './results.ts';
import type { ProvisioningOptionName, ProvisioningOptionValues, Settings } from './settings.ts';
import { findOption, isJson } from './settings.ts';
import { readVersion } from './system-ports.ts';

/**
 * The provisioning client for code that lives in a loop: nothing blocks, nothing happens outside {@link doWork},
 * callbacks report. The static methods take null where a handle may be null, as the functions of the requirements do.
 */
export class ProvisioningClientLL implements Disposable {
  readonly #parts: ClientParts;
  readonly #options: ProvisioningClientOptions;
  readonly #pump: RegistrationPump;
  #settings: Settings;
  #lastError: ProvisioningClientError | undefined;
  #returnedPayload: JsonValue | undefined;
  #destroyed = false;

  private constructor({ parts, settings, conversation }: PreparedClient, options: ProvisioningClientOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#settings = settings;
    const { clock, logger } = parts;
    this.#pump = new RegistrationPump(conversation, {
      clock,
      logger,
      isTracing: () => this.#settings.logTrace,
    });
  }

  /**
   * Makes a client; asks the security client for the registration id and connects nothing.
   *
   * Resolves to null when an argument is unusable or the security client fails; `options.onCreateError` is told why.
   * Never rejects.
   */
  static async create(
    uri: string | null | undefined,
    scopeId: string | null | undefined,
    protocol: PumpTransportProvider | Transport | null | undefined,
    options: ProvisioningClientOptions,
  ): Promise<ProvisioningClientLL | null> {
    try {
      return new ProvisioningClientLL(await prepareClient(uri, scopeId, protocol, options), options);
    } catch (error) {
      try {
        options?.onCreateError?.(error instanceof Error ? error : new Error(String(error)));
      } catch {
        // `create` never rejects, and null says that there is no client.
      }
      return null;
    }
  }

  /** Destroys a client; does nothing with null. */
  static destroy(handle: ProvisioningClientLL | null): void {
    handle?.destroy();
  }

  /** Does the work that is due; does nothing with null. */
  static doWork(handle: ProvisioningClientLL | null): void {
    handle?.doWork();
  }

  /** Begins a registration; `INVALID_ARG` with null. */
  static registerDevice(
    handle: ProvisioningClientLL | null,
    registerCallback: RegisterDeviceCallback,
    userContext?: unknown,
    regStatusCallback?: RegisterStatusCallback | null,
    statusUserContext?: unknown,
  ): ProvDeviceResult {
    return handle === null
      ? ProvDeviceResult.INVALID_ARG
      : handle.registerDevice(registerCallback, userContext, regStatusCallback, statusUserContext);
  }

  /** The version of this package. */
  static getVersionString(): string {
    return readVersion();
  }

  /** The version of this package. */
  getVersionString(): string {
    return readVersion();
  }

  /** State of the machine; `READY` between registrations. */
  get state(): StateName {
    return this.#pump.state;
  }

  /** True from the connection of a registration to its end. */
  get isConnected(): boolean {
    return this.#pump.isConnected;
  }

  /** The security client's, or the one set by option. */
  get registrationId(): string {
    return this.#settings.registrationId;
  }

  /** The scope given, or the base64 of the address; the `drs` dialect does not send it. */
  get scopeId(): string {
    return this.#parts.scopeId;
  }

  /** Why the last registration failed; undefined after a success and from `registerDevice` on. */
  get lastError(): ProvisioningClientError | undefined {
    return this.#lastError;
  }

  /**
   * Begins a registration; following {@link doWork} calls carry it out, and exactly one of them calls
   * `registerCallback`. No callback is called from here.
   *
   * Returns `OK`; `INVALID_ARG` without a callback or after {@link destroy}; `ERROR` while a registration is under way,
   * which goes on as before, and when one of `x509certificate` and `x509privatekey` is missing.
   */
  registerDevice(
    registerCallback: RegisterDeviceCallback,
    userContext?: unknown,
    regStatusCallback?: RegisterStatusCallback | null,
    statusUserContext?: unknown,
  ): ProvDeviceResult {
    if (this.#destroyed || typeof registerCallback !== 'function') return ProvDeviceResult.INVALID_ARG;
    if (
      regStatusCallback !== undefined &&
      regStatusCallback !== null &&
      typeof regStatusCallback !== 'function'
    ) {
      return ProvDeviceResult.INVALID_ARG;
    }
    const { registrationId, payload, stepTimeoutMs, certificatePem, privateKeyPem } = this.#settings;
    if ((certificatePem === undefined) !== (privateKeyPem === undefined)) return ProvDeviceResult.ERROR;
    const { deadlineMs, throttleMs } = this.#parts;
    const begun = this.#pump.begin(
      { registrationId, payload, limits: { stepTimeoutMs, deadlineMs, throttleMs } },
      {
        onStatus: (status) => regStatusCallback?.(status, statusUserContext),
        onEnd: (outcome) => this.#end(outcome, registerCallback, userContext),
      },
    );
    if (!begun) return ProvDeviceResult.ERROR;
    this.#lastError = undefined;
    this.#returnedPayload = undefined;
    return ProvDeviceResult.OK;
  }

  /**
   * Does what is due and returns at once: pumps the transport, works in what has completed, takes one step, in which at
   * most one request goes out. Callbacks are called from here only; a call from inside one does nothing.
   *
   * Throws only what a callback threw, once everything is in order.
   */
  doWork(): void {
    this.#pump.doWork();
  }

  /**
   * Sets an option.
   *
   * Returns `OK`; `INVALID_ARG` for an unknown name, a value of the wrong kind or after {@link destroy};
   * `INVALID_STATE` during a registration (`logtrace` may change at any time); `ERROR` for an option of the connection
   * when the transport brings its own, or refuses the value. Nothing has changed unless it is `OK`.
   */
  setOption<Name extends ProvisioningOptionName>(
    optionName: Name,
    value: ProvisioningOptionValues[Name],
  ): ProvDeviceResult {
    const rule = this.#destroyed ? undefined : findOption(optionName);
    const change = rule?.read(value);
    if (rule === undefined || change === undefined) return ProvDeviceResult.INVALID_ARG;
    if (rule.scope !== 'trace' && !this.#pump.isIdle) return ProvDeviceResult.INVALID_STATE;
    const settings = { ...this.#settings, ...change };
    if (rule.scope === 'link' || rule.scope === 'certificate') {
      const { protocol, securityClient } = this.#parts;
      const isTransport = typeof protocol !== 'function';
      const takesIt = rule.scope === 'certificate' && securityClient.kind === 'x509';
      if (isTransport && !takesIt) return ProvDeviceResult.ERROR;
      try {
        this.#pump.use(createConversation(this.#parts, settings));
      } catch {
        return ProvDeviceResult.ERROR;
      }
    }
    this.#settings = settings;
    return ProvDeviceResult.OK;
  }

  /**
   * Sets the payload of the next registrations (`drs`: `properties`); null unsets it. Returns `OK`, `INVALID_ARG` for
   * what is no JSON or after {@link destroy}, `INVALID_STATE` during a registration.
   */
  setProvisioningPayload(payload: JsonValue | null): ProvDeviceResult {
    if (this.#destroyed || !isJson(payload)) return ProvDeviceResult.INVALID_ARG;
    if (!this.#pump.isIdle) return ProvDeviceResult.INVALID_STATE;
    // A copy: what is sent later is what was given now.
    const copy = JSON.parse(JSON.stringify(payload)) as JsonValue;
    this.#settings = { ...this.#settings, payload: copy ?? undefined };
    return ProvDeviceResult.OK;
  }

  /** What the service's allocation returned with the last assignment; undefined when nothing, and from `registerDevice` on. */
  getProvisioningPayload(): JsonValue | undefined {
    return this.#returnedPayload;
  }

  /** Ends the registration that is under way, if any, without a callback; the next one may begin. Not in the requirements: there only {@link destroy} does. */
  cancelRegistration(): void {
    this.#pump.cancel();
  }

  /** Ends everything at once and for good: drops the connection, calls nobody any more. Harmless inside a callback and when repeated. */
  destroy(): void {
    this.#destroyed = true;
    this.#pump.destroy();
    this.#settings.proxyUrl?.dispose();
    this.#settings.privateKeyPem?.dispose();
  }

  /** The same as {@link destroy}. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  #end(outcome: RunOutcome, registerCallback: RegisterDeviceCallback, userContext: unknown): void {
    if (outcome.ok) {
      const { iothubUri, deviceId, payload } = outcome.assignment;
      this.#returnedPayload = payload;
      registerCallback(ProvDeviceResult.OK, iothubUri, deviceId, userContext);
      return;
    }
    const { error } = outcome;
    this.#lastError = error;
    try {
      this.#options.onError?.(error.result, this.#options.errorContext, error);
    } finally {
      if (!this.#destroyed) registerCallback(error.result, null, null, userContext);
    }
  }
}
