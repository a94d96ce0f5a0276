/**
 * The part of a gateway that connects: once it is told to, it registers by its TPM with the service it was told, over
 * the carrier it has. A change of settings does not make a running one register anew; a restart or a reset does. That is how the real ones behave.
 */
import type { Clock, Transport, TpmSecurityClient } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import type { DeviceEvent } from './device.ts';

/** The DPS settings of a gateway, as its API spells them. */
export interface EdgeSettings {
  readonly enable: boolean;
  readonly source?: string;
  readonly method?: string;
  readonly globalEndpoint?: string;
  readonly scopeId?: string;
  readonly registrationId?: string;
}

/** Where a gateway belongs. */
export interface EdgeAssignment {
  readonly assignedHub: string;
  readonly deviceId: string;
}

/** What a runtime needs. */
export interface EdgeRuntimeParts {
  readonly transport: Transport;
  /** The gateway's TPM under the registration id it was told. */
  readonly openTpm: (registrationId: string) => Promise<TpmSecurityClient & AsyncDisposable>;
  readonly clock: Clock;
  /** Pause before a failed registration is tried again, in milliseconds. */
  readonly retryDelayMs: number;
  /** How long a reset takes, in milliseconds. */
  readonly resetDurationMs: number;
  readonly onEvent: (event: DeviceEvent) => void;
}

/** Longest time of one registration, in milliseconds. */
const registrationDeadlineMs = 60_000;

/** The IoT Edge runtime of one gateway. */
export class EdgeRuntime {
  readonly #parts: EdgeRuntimeParts;
  #status: string | undefined;
  #assignment: EdgeAssignment | undefined;
  #running: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;

  constructor(parts: EdgeRuntimeParts) {
    this.#parts = parts;
  }

  /** `waiting`, `running`, `exited` or `resetting`; undefined before it ever ran. */
  get status(): string | undefined {
    return this.#status;
  }

  /** Undefined until it registered. */
  get assignment(): EdgeAssignment | undefined {
    return this.#assignment;
  }

  /** Starts with the given settings, unless it runs already. */
  apply(settings: EdgeSettings): void {
    if (!settings.enable) {
      this.#end();
      this.#status = 'exited';
      return;
    }
    if (this.#running === undefined) this.#start(settings, 0);
  }

  /** Registers anew with the given settings. */
  restart(settings: EdgeSettings): void {
    this.#end();
    if (settings.enable) this.#start(settings, 0);
  }

  /** As a restart, after a while. */
  reset(settings: EdgeSettings): void {
    this.#end();
    this.#assignment = undefined;
    this.#status = 'resetting';
    if (settings.enable) this.#start(settings, this.#parts.resetDurationMs);
  }

  /** Ends what is going on, and waits until it has. */
  async stop(): Promise<void> {
    const { done } = this.#running ?? {};
    this.#end();
    await done;
  }

  #end(): void {
    this.#running?.abort.abort(new Error('the runtime was stopped'));
    this.#running = undefined;
  }

  #start(settings: EdgeSettings, delayMs: number): void {
    const abort = new AbortController();
    const done = this.#run(settings, delayMs, abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    this.#running = { abort, done };
  }

  async #run(settings: EdgeSettings, delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock, onEvent, retryDelayMs } = this.#parts;
    if (delayMs > 0) await clock.sleep(delayMs, signal);
    this.#status = 'waiting';
    for (;;) {
      try {
        const assignment = await this.#register(settings, signal);
        this.#assignment = assignment;
        this.#status = 'running';
        onEvent({ event: 'registered', ...assignment });
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.#status = 'exited';
        onEvent({ event: 'registration-failed', code: isEndorseError(error) ? error.code : 'ERR_UNKNOWN' });
      }
      await clock.sleep(retryDelayMs, signal);
    }
  }

  async #register(settings: EdgeSettings, signal: AbortSignal): Promise<EdgeAssignment> {
    const { source, method, registrationId = '', scopeId = '', globalEndpoint = '' } = settings;
    if (source !== 'dps' || method !== 'tpm') throw new Error(`the simulator has no ${source}/${method}`);
    const { transport, openTpm } = this.#parts;
    await using securityClient = await openTpm(registrationId);
    const { assignedHub, deviceId } = await register({
      provisioningHost: new URL(globalEndpoint).host,
      idScope: scopeId,
      transport,
      securityClient,
      signal,
      deadlineMs: registrationDeadlineMs,
    });
    return { assignedHub, deviceId };
  }
}
