import type { Clock, JsonValue, Logger } from '@endorse/interface';
import type { Conversation, Deliver, RunContext } from '../dialects/conversation.ts';
import type { ProvDeviceFailure } from '../errors.ts';
import { toClientError } from '../errors.ts';
import type { MachineEffect, MachineEvent, RunLimits, RunOutcome, StateName } from '../machine/index.ts';
import { idleState, step } from '../machine/index.ts';
import type { ProvDeviceRegStatus } from '../results.ts';
import { ProvDeviceResult } from '../results.ts';
import { ElapsedClock } from './elapsed-clock.ts';

/** Who is told about a run. */
export interface RunListener {
  onStatus(status: ProvDeviceRegStatus): void;
  /** The last call of a run. */
  onEnd(outcome: RunOutcome): void;
}

/** What a run is begun with. */
export interface RunRequest {
  readonly registrationId: string;
  readonly payload: JsonValue | undefined;
  readonly limits: RunLimits;
}

/** What the pump works with. */
export interface PumpParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  /** Asked anew for every line: `logtrace` may be switched at any time. */
  readonly isTracing: () => boolean;
}

/**
 * Drives the machine, one `doWork()` at a time: pumps the conversation, works in what has completed since, takes one
 * step of its own. What goes out to the service ends the `doWork()`, and so does the end of a run.
 *
 * Completions of promises are only queued: nothing is decided, and nobody is called, outside `doWork()`.
 */
export class RegistrationPump {
  readonly #parts: PumpParts;
  readonly #time: ElapsedClock;
  #conversation: Conversation;
  #state = idleState;
  #limits: RunLimits = { stepTimeoutMs: 0, deadlineMs: 0, throttleMs: 0 };
  #request: RunRequest | undefined;
  #listener: RunListener | undefined;
  #ending = new AbortController();
  #completed: MachineEvent[] = [];
  #working = false;
  #destroyed = false;

  constructor(conversation: Conversation, parts: PumpParts) {
    this.#conversation = conversation;
    this.#parts = parts;
    this.#time = new ElapsedClock(parts.clock);
  }

  get state(): StateName {
    return this.#state.name;
  }

  get isConnected(): boolean {
    return this.#state.run.connected;
  }

  /** True between registrations. */
  get isIdle(): boolean {
    return !this.#state.run.armed;
  }

  /** Puts another conversation in place, between registrations. */
  use(conversation: Conversation): void {
    this.#conversation.close();
    this.#conversation = conversation;
  }

  /** Begins a run with the next `doWork()`; false while one is under way. */
  begin(request: RunRequest, listener: RunListener): boolean {
    const next = step(this.#state, { type: 'register' }, this.#time.now(), request.limits);
    if (next === undefined) return false;
    this.#state = next.state;
    this.#limits = request.limits;
    this.#request = request;
    this.#listener = listener;
    this.#ending = new AbortController();
    return true;
  }

  /** Does what is due. Harmless inside a callback; throws only what a callback threw, once everything is in order. */
  doWork(): void {
    if (this.#destroyed || this.#working) return;
    this.#working = true;
    const thrown: unknown[] = [];
    try {
      this.#work(thrown);
    } finally {
      this.#working = false;
    }
    if (thrown.length > 0) throw thrown[0];
  }

  /** Ends the run that is under way, if any; its listener is not called any more. */
  cancel(): void {
    if (this.isIdle) return;
    this.#close();
    this.#state = idleState;
    this.#listener = undefined;
  }

  /** Ends everything; nobody is called afterwards. Harmless when repeated. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#close();
    this.#state = idleState;
    this.#listener = undefined;
    this.#request = undefined;
  }

  #work(thrown: unknown[]): void {
    const now = this.#time.now();
    if (this.#state.name !== 'ERROR')
      this.#guard(() => this.#conversation.doWork(), ProvDeviceResult.TRANSPORT);
    for (let event = this.#completed.shift(); event !== undefined; event = this.#completed.shift()) {
      if (this.#take(event, now, thrown)) return;
    }
    this.#take({ type: 'work' }, now, thrown);
  }

  /** Takes one step; true when the `doWork()` is over with it. */
  #take(event: MachineEvent, now: number, thrown: unknown[]): boolean {
    const before = this.#state.name;
    const next = step(this.#state, event, now, this.#limits);
    if (next === undefined) return false;
    this.#state = next.state;
    const { name: after } = next.state;
    if (after !== before) this.#parts.logger.log('debug', 'state-changed', { from: before, to: after });
    const listener = this.#listener;
    let ended = false;
    for (const effect of next.effects) {
      // A callback may have destroyed the client.
      if (this.#destroyed) return true;
      ended ||= effect.effect === 'deliver';
      this.#run(effect, listener, thrown);
    }
    return this.#destroyed || ended || next.sends || after === 'ERROR';
  }

  #run(effect: MachineEffect, listener: RunListener | undefined, thrown: unknown[]): void {
    const conversation = this.#conversation;
    const deliver = this.#deliver();
    switch (effect.effect) {
      case 'open':
        this.#guard(() => conversation.open(this.#context(), deliver), ProvDeviceResult.TRANSPORT);
        return;
      case 'prepare-registration':
        this.#ask(() => conversation.prepareRegistration(), { type: 'prepared' });
        return;
      case 'answer-challenge':
        this.#ask(() => conversation.answerChallenge(effect.challenge), { type: 'prepared' });
        return;
      case 'import-key':
        this.#ask(() => conversation.importKey(effect.activationBlob), { type: 'key-imported' });
        return;
      case 'send-registration':
        this.#guard(() => conversation.sendRegistration(deliver), ProvDeviceResult.TRANSPORT);
        return;
      case 'send-confirmation':
        this.#guard(() => conversation.sendConfirmation(deliver), ProvDeviceResult.TRANSPORT);
        return;
      case 'send-status-request':
        this.#guard(
          () => conversation.sendStatusRequest(effect.operation, deliver),
          ProvDeviceResult.TRANSPORT,
        );
        return;
      case 'close':
        this.#close();
        return;
      case 'report':
        tell(() => listener?.onStatus(effect.status), thrown);
        return;
      case 'deliver':
        tell(() => listener?.onEnd(effect.outcome), thrown);
        return;
      default:
        effect satisfies never;
    }
  }

  /** Asks the security client; the answer waits for the next `doWork()`. */
  #ask(work: () => Promise<void>, success: MachineEvent): void {
    const deliver = this.#deliver();
    const fail = (error: unknown): void =>
      deliver({ type: 'failed', error: toClientError(ProvDeviceResult.KEY_ERROR, error) });
    try {
      work().then(() => deliver(success), fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Runs a call that keeps its contract and throws nothing, and one that does not. */
  #guard(call: () => void, result: ProvDeviceFailure): void {
    try {
      call();
    } catch (error) {
      this.#completed.push({ type: 'failed', error: toClientError(result, error) });
    }
  }

  /** Takes completions of this run only. */
  #deliver(): Deliver {
    const { signal } = this.#ending;
    return (event) => {
      if (!signal.aborted) this.#completed.push(event);
    };
  }

  #context(): RunContext {
    const { logger, isTracing } = this.#parts;
    return {
      registrationId: this.#request?.registrationId ?? '',
      payload: this.#request?.payload,
      signal: this.#ending.signal,
      trace: (event, fields) => {
        if (isTracing()) logger.log('debug', event, fields);
      },
    };
  }

  #close(): void {
    this.#ending.abort(new Error('the registration is over'));
    this.#completed = [];
    try {
      this.#conversation.close();
    } catch (error) {
      this.#parts.logger.log('warn', 'close-failed', { message: String(error) });
    }
  }
}

function tell(callback: () => void, thrown: unknown[]): void {
  try {
    callback();
  } catch (error) {
    thrown.push(error);
  }
}
