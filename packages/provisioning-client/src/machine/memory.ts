/** What the rows of the table remember. */
import { TimeoutError } from '@endorse/interface';
import { capRetryAfter } from '@endorse/protocol';
import { ProvisioningClientError } from '../errors.ts';
import { ProvDeviceResult } from '../results.ts';
import type { ServiceReply } from '../service-reply.ts';
import type { EventOf, MachineEvent } from './events.ts';
import type { MachineState, Run, RunLimits } from './state.ts';
import { idleState, maxChallenges, maxPolls } from './state.ts';

/** What a row remembers with. */
export interface StepContext {
  readonly now: number;
  readonly limits: RunLimits;
}

export function arm(_state: MachineState, _event: MachineEvent, { now }: StepContext): Run {
  return { ...idleState.run, armed: true, startedAt: now, notBefore: now };
}

export function wait({ run }: MachineState, _event: MachineEvent, { now }: StepContext): Run {
  return { ...run, waitingSince: now };
}

/** The time to connect is counted from the call of `registerDevice`, whenever `doWork` gets round to it. */
export function waitSinceStart({ run }: MachineState): Run {
  return { ...run, waitingSince: run.startedAt };
}

export function connect({ run }: MachineState): Run {
  return { ...run, waitingSince: undefined, connected: true };
}

/** A confirmation is on its way, so one more challenge is answered. */
export function confirmAndWait({ run }: MachineState, _event: MachineEvent, { now }: StepContext): Run {
  return { ...run, waitingSince: now, reply: undefined, challenges: run.challenges + 1 };
}

export function pollAndWait({ run }: MachineState, _event: MachineEvent, { now }: StepContext): Run {
  return { ...run, waitingSince: now, reply: undefined, polls: run.polls + 1 };
}

export function hold({ run }: MachineState, { reply }: EventOf<'replied'>): Run {
  return { ...run, waitingSince: undefined, reply };
}

/** The first look is taken at once, unless the service asks for a pause. */
export function watch({ run }: MachineState, _event: MachineEvent, { now }: StepContext): Run {
  const operation = run.reply?.kind === 'operation' ? run.reply.operation : run.operation;
  return { ...run, reply: undefined, operation, notBefore: now + (pauseAskedFor(run.reply) ?? 0) };
}

export function pollLater({ run }: MachineState, _event: MachineEvent, context: StepContext): Run {
  return { ...run, reply: undefined, notBefore: afterPause(run, context) };
}

export function retry({ run }: MachineState, _event: MachineEvent, context: StepContext): Run {
  return { ...run, reply: undefined, retries: run.retries + 1, notBefore: afterPause(run, context) };
}

export function fail({ run }: MachineState, { error }: EventOf<'failed'>): Run {
  return { ...run, waitingSince: undefined, error };
}

export function refuse({ run }: MachineState): Run {
  return { ...run, error: refusalOf(run.reply) };
}

export function timeOut(
  { name, run }: MachineState,
  _event: MachineEvent,
  { now, limits }: StepContext,
): Run {
  const overdue = now - run.startedAt > limits.deadlineMs;
  const deadlineMs = overdue ? limits.deadlineMs : limits.stepTimeoutMs;
  const cause = new TimeoutError(`no end within ${deadlineMs} ms in ${name}`, { deadlineMs, state: name });
  const message = `PROV_DEVICE_RESULT_TIMEOUT: ${cause.message}`;
  const error = new ProvisioningClientError(ProvDeviceResult.TIMEOUT, message, { cause });
  return { ...run, waitingSince: undefined, error };
}

export function giveUpPolling({ run }: MachineState): Run {
  const problem = `the service is still assigning after ${maxPolls} status requests`;
  const message = `PROV_DEVICE_RESULT_TIMEOUT: ${problem}`;
  return { ...run, error: new ProvisioningClientError(ProvDeviceResult.TIMEOUT, message) };
}

/** Nothing of a run reaches the next one. */
export function forget(): Run {
  return idleState.run;
}

function refusalOf(reply: ServiceReply | undefined): ProvisioningClientError {
  if (reply?.kind === 'refused') return reply.error;
  if (reply?.kind === 'challenge') {
    const problem = `the service asks for another proof after ${maxChallenges} answered challenges`;
    return new ProvisioningClientError(
      ProvDeviceResult.DEV_AUTH_ERROR,
      `PROV_DEVICE_RESULT_DEV_AUTH_ERROR: ${problem}`,
    );
  }
  return new ProvisioningClientError(
    ProvDeviceResult.PARSING,
    `PROV_DEVICE_RESULT_PARSING: the service answered with ${reply?.kind ?? 'nothing'}, which makes no sense here`,
  );
}

function afterPause(run: Run, { now, limits }: StepContext): number {
  return now + Math.max(limits.throttleMs, pauseAskedFor(run.reply) ?? 0);
}

/** What the service asked for, cut to five minutes. */
function pauseAskedFor(reply: ServiceReply | undefined): number | undefined {
  return reply !== undefined && 'retryAfterMs' in reply ? capRetryAfter(reply.retryAfterMs) : undefined;
}
