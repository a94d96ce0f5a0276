/**
 * The driver: runs the machine's effects on the ports and feeds the outcomes
 * back. It owns the caller's signal, the overall deadline, the limit of each
 * step, the token and the session, and lets go of all of them in one place.
 */
import type { RegistrationProgress, RegistrationResult } from '@endorse/interface';
import { TimeoutError } from '@endorse/interface';
import type { ActivityEffect, RegistrationEffect, RegistrationOutcome } from '../machine/effects.ts';
import type { RegistrationEvent } from '../machine/events.ts';
import { describeFailure } from '../machine/failure.ts';
import type { RegistrationMachineState } from '../machine/state.ts';
import { createInitialState } from '../machine/state.ts';
import { step } from '../machine/step.ts';
import type { RegistrationPlan } from '../options.ts';
import { Activities } from './activities.ts';
import { runBounded } from './bounded.ts';
import { Interruption } from './interruption.ts';
import { createDeadlineError, createFailure, createResult } from './outcome.ts';

/** How long an aborted activity may take to clean up before the run ends without it, in milliseconds. */
const abortGraceMs = 10_000;

/** A token is signed anew when it has less life than this left, in milliseconds, or than a quarter of its life. */
const tokenRenewalMarginMs = 60_000;

/** Runs one registration to its end. Settles once: at the latest 15 s after the deadline, 10 s of them for a part that ignores its signal. */
export async function driveRegistration(plan: RegistrationPlan): Promise<RegistrationResult> {
  return new RegistrationRun(plan).run();
}

class RegistrationRun {
  readonly #plan: RegistrationPlan;
  readonly #activities: Activities;
  readonly #interruption: Interruption;
  #state: RegistrationMachineState;

  constructor(plan: RegistrationPlan) {
    const { transport, securityClient, policy, deadlineMs, sasLifetimeMs, operationId } = plan;
    this.#plan = plan;
    this.#activities = new Activities(plan);
    this.#state = createInitialState({
      attestation: securityClient.kind,
      carrier: transport.capabilities.carrier,
      challenge: transport.capabilities.challenge,
      policy,
      maxTotalDelayMs: deadlineMs,
      tokenRenewalMarginMs: Math.min(tokenRenewalMarginMs, Math.floor(sasLifetimeMs / 4)),
      operationId,
    });
    this.#interruption = new Interruption(plan.signal, plan.clock, deadlineMs, () =>
      createDeadlineError(this.#state.memory, deadlineMs, this.#state.name),
    );
  }

  async run(): Promise<RegistrationResult> {
    try {
      return this.#conclude(await this.#loop());
    } finally {
      this.#interruption.dispose();
      this.#activities.tokens.forget();
      await this.#activities.sessions.close();
    }
  }

  async #loop(): Promise<RegistrationOutcome> {
    let event: RegistrationEvent = { type: 'start' };
    for (;;) {
      event = this.#interruption.event ?? event;
      const { state, effects } = step(this.#state, event, this.#plan.clock.now());
      this.#plan.logger.log('debug', 'state-changed', {
        from: this.#state.name,
        on: event.type,
        to: state.name,
      });
      this.#state = state;
      const outcome = await this.#apply(effects);
      if ('kind' in outcome) return outcome;
      event = outcome;
    }
  }

  /** Runs the effects of one step in order; the last one is an activity or the end. */
  async #apply(effects: readonly RegistrationEffect[]): Promise<RegistrationEvent | RegistrationOutcome> {
    for (const effect of effects) {
      switch (effect.effect) {
        case 'report':
          this.#report(effect.progress);
          break;
        case 'forget-token':
          this.#activities.tokens.forget();
          break;
        case 'open-session':
          try {
            await this.#activities.openSession();
          } catch (error) {
            return this.#fail(error);
          }
          break;
        case 'settle':
          return effect.outcome;
        default:
          return this.#perform(effect);
      }
    }
    throw new Error(`unreachable: entering ${this.#state.name} started nothing`);
  }

  async #perform(effect: ActivityEffect): Promise<RegistrationEvent> {
    // Opening a session may have taken a moment; nothing is started for a run that is already over.
    if (this.#interruption.event !== undefined) return this.#interruption.event;
    const controller = new AbortController();
    const unsubscribe = this.#interruption.subscribe((reason) => controller.abort(reason));
    try {
      return await runBounded((signal) => this.#activities.run(effect, signal), {
        clock: this.#plan.clock,
        controller,
        limitMs: this.#limitOf(effect),
        graceMs: abortGraceMs,
        createTimeout: (limitMs) => createStepTimeout(effect, limitMs, this.#state.name),
      });
    } catch (error) {
      return this.#fail(error);
    } finally {
      unsubscribe();
    }
  }

  #limitOf({ effect }: ActivityEffect): number | undefined {
    switch (effect) {
      case 'request-challenge':
      case 'send-register':
      case 'query-operation':
        return this.#plan.stepTimeoutMs;
      case 'read-identity':
      case 'activate-key':
      case 'sign-token':
        return this.#plan.securityTimeoutMs;
      case 'sleep':
        return undefined;
      default:
        return effect satisfies never;
    }
  }

  #fail(error: unknown): RegistrationEvent {
    const [a = 0, b = 0, c = 0] = this.#plan.random.bytes(3);
    const jitter = (a * 65_536 + b * 256 + c) / 2 ** 24;
    return { type: 'io-failed', error, failure: describeFailure(error), jitter };
  }

  #report(progress: RegistrationProgress): void {
    const { event, at: _at, ...fields } = progress;
    this.#plan.logger.log(event === 'registration-failed' ? 'error' : 'info', event, fields);
    try {
      this.#plan.onProgress?.(Object.freeze(progress));
    } catch (error) {
      // A listener is not part of the registration: its mistakes must not end one.
      const problem = error instanceof Error ? error.message : 'unknown';
      this.#plan.logger.log('warn', 'progress-listener-failed', { event, problem });
    }
  }

  #conclude(outcome: RegistrationOutcome): RegistrationResult {
    const { memory } = this.#state;
    switch (outcome.kind) {
      case 'assigned':
        return createResult(this.#activities.operation, memory);
      case 'aborted':
        throw this.#interruption.reason;
      case 'failed':
        throw createFailure(outcome, memory, this.#plan.deadlineMs);
      default:
        return outcome satisfies never;
    }
  }
}

/** A timed-out request may be repeated; a security client that hung once is not asked again. */
function createStepTimeout({ effect }: ActivityEffect, limitMs: number, state: string): TimeoutError {
  const retryable =
    effect === 'request-challenge' || effect === 'send-register' || effect === 'query-operation';
  return new TimeoutError(`registration: ${effect} took longer than ${limitMs} ms`, {
    deadlineMs: limitMs,
    state,
    retryable,
  });
}
