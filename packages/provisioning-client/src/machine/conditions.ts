/** When a row of the table applies, each with the name under which it is printed. */
import type { MachineState, Run, RunLimits } from './state.ts';
import { maxChallenges, maxPolls, maxRetries } from './state.ts';

/** A named condition of a transition. */
export interface Condition {
  readonly name: string;
  test(state: MachineState, now: number, limits: RunLimits): boolean;
}

export const nothingAsked: Condition = condition('nothing asked for', (run) => !run.armed);
export const waiting: Condition = condition('waited for', isWaiting);

/** Strictly longer: at exactly the limit there is still time. */
export const waitedTooLong: Condition = condition(
  'waited longer than `provisioning_timeout`',
  ({ waitingSince }, now, { stepTimeoutMs }) =>
    waitingSince !== undefined && stepTimeoutMs > 0 && now - waitingSince > stepTimeoutMs,
);

/** An answer that is there is decided on first. */
export const deadlinePassed: Condition = condition(
  'deadline passed',
  (run, now, { deadlineMs }) =>
    run.armed && now - run.startedAt > deadlineMs && (run.reply === undefined || isWaiting(run)),
);

export const mayConnect: Condition = condition(
  'asked for, not connecting yet',
  (run) => run.armed && !isWaiting(run),
);

export const mayGoOn: Condition = condition(
  'pause over',
  (run, now) => !isWaiting(run) && now >= run.notBefore,
);

export const mayPoll: Condition = condition(
  'pause over, polls left',
  (run, now) => !isWaiting(run) && now >= run.notBefore && run.polls < maxPolls,
);

export const noPollsLeft: Condition = condition('no polls left', (run) => run.polls >= maxPolls);

export const begun: Condition = condition(
  '2xx with an operation',
  ({ reply }) => reply?.kind === 'operation',
);

export const challengeLeft: Condition = condition(
  '401 with a challenge, challenges left',
  ({ reply, challenges }) => reply?.kind === 'challenge' && challenges < maxChallenges,
);

export const assigned: Condition = condition('2xx with a hub', ({ reply }) => reply?.kind === 'assigned');

export const assignedWithKey: Condition = condition(
  '2xx with a hub and a key',
  (run) => !isWaiting(run) && run.reply?.kind === 'assigned' && run.reply.authenticationKey !== undefined,
);

export const assignedWithoutKey: Condition = condition(
  '2xx with a hub, no key',
  (run) => !isWaiting(run) && run.reply?.kind === 'assigned',
);

export const stillAssigning: Condition = condition(
  '202 or assigning',
  ({ reply }) => reply?.kind === 'assigning' || reply?.kind === 'operation',
);

export const mayStartOver: Condition = condition(
  'may succeed anew, retries left',
  ({ reply, retries, challenges }) =>
    reply?.kind === 'refused' &&
    reply.recovery === 'restart' &&
    retries < maxRetries &&
    challenges < maxChallenges,
);

export const mayRepeat: Condition = condition(
  '429 or a passing 5xx, retries left',
  ({ reply, retries }) => reply?.kind === 'refused' && reply.recovery === 'repeat' && retries < maxRetries,
);

export const anyOtherAnswer: Condition = condition('any other answer', (run) => !isWaiting(run));

function isWaiting(run: Run): boolean {
  return run.waitingSince !== undefined;
}

function condition(name: string, test: (run: Run, now: number, limits: RunLimits) => boolean): Condition {
  return Object.freeze({
    name,
    test: ({ run }: MachineState, now: number, limits: RunLimits) => test(run, now, limits),
  });
}
