import type {
  RegistrationEffect,
  RegistrationEvent,
  RegistrationMachineState,
} from '@endorse/registration-core/machine';
import {
  backOffDelayMs,
  createInitialState,
  createRetryPolicy,
  defaultRetryPolicy,
  isTerminal,
  pollDelayMs,
  runningStates,
  states,
  step,
  transitions,
} from '@endorse/registration-core/machine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fortunes, outcomeEvent, retryAfter, settings } from './support/arbitrary-events.ts';

/** One step of a recorded run. */
interface Trace {
  readonly before: RegistrationMachineState;
  readonly event: RegistrationEvent;
  readonly after: RegistrationMachineState;
  readonly effects: readonly RegistrationEffect[];
  readonly now: number;
}

/** A run in which every activity ends somehow, and nobody interrupts. Time passes with every step. */
const uninterruptedRuns: fc.Arbitrary<readonly Trace[]> = fc
  .tuple(settings, fortunes)
  .map(([given, drawn]) => {
    const traces: Trace[] = [];
    let now = 1_700_000_000_000;
    let before = createInitialState(given);
    while (!isTerminal(before.name)) {
      if (traces.length > 1000) throw new Error(`a run of ${traces.length} steps has no end`);
      const fortune = at(drawn, traces.length % drawn.length);
      const event = outcomeEvent(before, fortune, now);
      const { state: after, effects } = step(before, event, now);
      traces.push({ before, event, after, effects, now });
      before = after;
      now += fortune.elapsedMs;
    }
    return traces;
  });

/** The item at an index that is known to exist. */
function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

function effectsOf(traces: readonly Trace[]): readonly RegistrationEffect[] {
  return traces.flatMap(({ effects }) => effects);
}

function count(traces: readonly Trace[], effect: RegistrationEffect['effect']): number {
  return effectsOf(traces).filter((candidate) => candidate.effect === effect).length;
}

describe('every run', () => {
  it('ends, and settles exactly once, with its last effect', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        const effects = effectsOf(traces);
        expect(count(traces, 'settle')).toBe(1);
        expect(effects.at(-1)?.effect).toBe('settle');
      }),
      { numRuns: 500 },
    );
  });

  it('has exactly one thing going on at any time: the activity of its state, started last', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        for (const { after, effects } of traces) {
          const { activity = 'settle' } = states[after.name];
          const waitedFor = effects.filter(
            ({ effect }) => !['report', 'open-session', 'forget-token'].includes(effect),
          );
          expect(waitedFor.map(({ effect }) => effect)).toEqual([activity]);
          expect(effects.at(-1)).toBe(waitedFor[0]);
        }
      }),
    );
  });

  it('sends a bounded number of requests and sleeps a bounded time, whatever the peer answers', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        const { policy, maxTotalDelayMs } = at(traces, 0).before.settings;
        const repeats = policy.maxRetries + policy.maxTokenRefusals;
        expect(count(traces, 'request-challenge')).toBeLessThanOrEqual(1 + repeats);
        expect(count(traces, 'send-register')).toBeLessThanOrEqual(1 + repeats + policy.maxRestarts);
        expect(count(traces, 'query-operation')).toBeLessThanOrEqual(policy.maxPolls + repeats);
        const sleeps = effectsOf(traces).filter((effect) => effect.effect === 'sleep');
        for (const { delayMs } of sleeps) expect(delayMs).toBeGreaterThanOrEqual(0);
        const sleptMs = sleeps.reduce((sum, { delayMs }) => sum + delayMs, 0);
        expect(sleptMs).toBeLessThanOrEqual(maxTotalDelayMs);
      }),
      { numRuns: 500 },
    );
  });

  it('accepts abort, deadline and failure wherever it is, and ends on the first two', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        const failure = { code: 'ERR_X', kind: 'other', retryable: false } as const;
        for (const { before } of traces) {
          const aborted = step(before, { type: 'abort', code: 'ABORT_ERR' }, 0);
          expect([aborted.state.name, aborted.effects.at(-1)]).toEqual([
            'aborted',
            { effect: 'settle', outcome: { kind: 'aborted', code: 'ABORT_ERR' } },
          ]);
          const late = step(before, { type: 'deadline-passed' }, 0);
          expect([late.state.name, late.effects.at(-1)]).toMatchObject([
            'failed',
            { effect: 'settle', outcome: { why: 'deadline', state: before.name } },
          ]);
          const failed = step(before, { type: 'io-failed', error: 'x', failure, jitter: 0 }, 0);
          expect(failed.state.name).toBe('failed');
        }
      }),
    );
  });

  it('accepts nothing after its end', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        const { after } = at(traces, traces.length - 1);
        for (const type of ['start', 'woke', 'key-activated', 'deadline-passed'] as const) {
          expect(() => step(after, { type }, 0)).toThrow(
            expect.objectContaining({ code: 'ERR_LOCAL_STATE' }),
          );
        }
      }),
    );
  });

  it('holds a token for each request that needs one, and none after its end', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        const { attestation } = at(traces, 0).before.settings;
        let held = false;
        for (const { effect } of effectsOf(traces)) {
          if (effect === 'sign-token') held = true;
          if (effect === 'forget-token') held = false;
          const needed =
            (effect === 'send-register' || effect === 'query-operation') && attestation !== 'x509';
          if (needed) expect(held).toBe(true);
          if (effect === 'request-challenge') expect(held).toBe(false);
        }
        expect(held).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('only has a TPM pass the challenge, and never signs for a certificate', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        const { attestation } = at(traces, 0).before.settings;
        const names = new Set(traces.map(({ after }) => after.name));
        if (attestation !== 'tpm') {
          for (const name of ['awaiting-challenge', 'activating', 'storing-credential'] as const) {
            expect(names.has(name)).toBe(false);
          }
        }
        if (attestation === 'x509') expect(names.has('signing')).toBe(false);
      }),
    );
  });

  it('has a state that survives JSON and holds no key material', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        for (const { before, event, after, effects } of traces) {
          const text = JSON.stringify(before);
          // How JSON would show the bytes of a blob.
          expect(text).not.toContain('"0":');
          const revived = JSON.parse(text) as RegistrationMachineState;
          expect(step(revived, event, 1)).toEqual(step(before, event, 1));
          expect(effects.length).toBeGreaterThan(0);
          expect(JSON.stringify(after)).not.toContain('authenticationKey');
        }
      }),
    );
  });

  it('resumes from the operation id of any of its states: asks about it before it registers', () => {
    fc.assert(
      fc.property(uninterruptedRuns, (traces) => {
        for (const { after } of traces) {
          const { operationId } = after.memory;
          if (operationId === undefined) continue;
          const names = walkHappily(createInitialState({ ...after.settings, operationId }));
          expect(names).toContain('polling');
          expect(names).not.toContain('registering');
        }
      }),
    );
  });
});

/** The states of a run in which everything goes well. */
function walkHappily(start: RegistrationMachineState): readonly string[] {
  const names: string[] = [];
  let state = step(start, { type: 'start' }, 0).state;
  while (!isTerminal(state.name)) {
    names.push(state.name);
    state = step(state, happyEvents[state.name as keyof typeof happyEvents], 0).state;
  }
  return names;
}

const finalAnswer: RegistrationEvent = {
  type: 'operation-reported',
  operation: {
    operationId: '',
    status: 'assigned',
    registrationState: {
      assignedHub: 'hub',
      deviceId: 'device',
      tpm: { authenticationKey: Uint8Array.of(1) },
    },
  },
};

const happyEvents = {
  'reading-identity': { type: 'identity-read', registrationId: 'device' },
  'awaiting-challenge': {
    type: 'challenge-received',
    activationBlob: Uint8Array.of(1),
    keyName: 'registration',
  },
  activating: { type: 'key-activated' },
  signing: { type: 'token-signed', expiresAt: 3_600_000 },
  registering: finalAnswer,
  polling: finalAnswer,
  'storing-credential': { type: 'key-activated' },
} as const;

describe('the table', () => {
  it('has no row that never applies and no state that is never reached', () => {
    const taken = new Set<unknown>();
    const reached = new Set<string>(['idle']);
    for (const traces of fc.sample(uninterruptedRuns, { numRuns: 3000, seed: 1 })) {
      for (const { before, event, after, now } of traces) {
        taken.add(
          transitions.find(
            ({ from, on, when }) =>
              on === event.type &&
              from.some((name) => name === before.name) &&
              (when?.test(before, event, now) ?? true),
          ),
        );
        reached.add(after.name);
      }
    }
    taken.add(transitions.find(({ on }) => on === 'abort'));
    taken.add(transitions.find(({ on }) => on === 'deadline-passed'));
    reached.add('aborted');
    const unused = transitions.filter((row) => !taken.has(row));
    expect(unused.map(({ from, on, to, when }) => `${from.join('|')} ${on} → ${to} (${when?.name})`)).toEqual(
      [],
    );
    expect([...reached].toSorted()).toEqual([...runningStates, 'assigned', 'failed', 'aborted'].toSorted());
  });
});

describe('the retry policy', () => {
  it('takes the pause the server asked for, up to the cap, over any default', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.nat(100),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (asked, retries, jitter) => {
          const capped = Math.min(asked, defaultRetryPolicy.maxRetryAfterMs);
          expect(backOffDelayMs(defaultRetryPolicy, retries, jitter, asked)).toBe(capped);
          expect(pollDelayMs(defaultRetryPolicy, asked)).toBe(capped);
        },
      ),
    );
  });

  it('spreads retries over the whole of a doubling, capped ceiling when the server is silent', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 0.999, noNaN: true }), (retries, jitter) => {
        const ceiling = Math.min(30_000, 1000 * 2 ** retries);
        expect(backOffDelayMs(defaultRetryPolicy, retries, jitter)).toBe(Math.floor(jitter * ceiling));
      }),
    );
  });

  it('never waits longer than its bounds, nor a negative or fractional time, whatever it is told', () => {
    fc.assert(
      fc.property(retryAfter, fc.nat(1000), fc.double({ noNaN: true }), (asked, retries, jitter) => {
        for (const delay of [
          backOffDelayMs(defaultRetryPolicy, retries, jitter, asked),
          pollDelayMs(defaultRetryPolicy, asked),
        ]) {
          expect(Number.isInteger(delay)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });

  it.each([
    [{ maxRetries: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxPolls: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ baseDelayMs: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ maxDelayMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ retries: 3 }, 'ERR_INVALID_ARGUMENT'],
    [null, 'ERR_INVALID_ARGUMENT'],
  ])('refuses %j', (given, code) => {
    expect(() => createRetryPolicy(given as never)).toThrow(expect.objectContaining({ code }));
  });
});
