/** Whatever order things happen in: turns of the loop, answers good and bad, faults, pauses, a TPM that fails or hangs, new registrations, the end. */
import { encodeChallengeBody, encodeOperationStatus } from '@endorse/protocol';
import { ProvDeviceResult } from '@endorse/provisioning-client';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bench } from './support/bench.ts';
import { settle, startBench } from './support/bench.ts';
import { createFakeTpm, plainNonce } from './support/fake-tpm.ts';

const registrationState = {
  status: 'assigned',
  assignedHub: 'hub',
  tpm: { authenticationKey: Uint8Array.of(1) },
} as const;
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Answers that mean well, for each dialect and request. */
const good = {
  nonce: { status: 401, body: { correlationId: 'c', nonce: 'AAEC' } },
  wrappedKey: { status: 401, body: encodeChallengeBody({ activationBlob: Uint8Array.of(1) }) },
  operation: { status: 200, body: { operationId: 'o', status: 'assigning' } },
  progressUrl: { status: 200, body: { progressUrl: '/p' } },
  hub: { status: 200, body: { IotHubUrl: 'hub', tpm: { authenticationKey: 'AQ==' } } },
  assigned: {
    status: 200,
    body: encodeOperationStatus({ operationId: 'o', status: 'assigned', registrationState }),
  },
} as const satisfies Readonly<Record<string, Answer>>;

const answers: readonly Answer[] = [
  ...Object.values(good),
  { status: 401, body: {} },
  { status: 200, body: { progressUrl: 'https://evil.example.test/p' } },
  { status: 202, body: {} },
  { status: 200, body: { IotHubUrl: 'hub' } },
  { status: 200, body: { status: 'failed' } },
  { status: 200, body: 'noise' },
  { status: 302, body: {} },
  { status: 403, body: {} },
  { status: 404, body: {} },
  { status: 429, body: {} },
  { status: 503, body: {} },
];

const steps = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 1, max: 4 }).map((times) => ({ do: 'work', times }) as const) },
  { weight: 4, arbitrary: fc.constant({ do: 'connect' } as const) },
  { weight: 10, arbitrary: fc.constant({ do: 'serve' } as const) },
  { weight: 6, arbitrary: fc.constantFrom(...answers).map((answer) => ({ do: 'reply', answer }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'fail' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'repeat' } as const) },
  { weight: 2, arbitrary: fc.constantFrom(1, 2000, 7000, 60_001).map((ms) => ({ do: 'wait', ms }) as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'register' } as const) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('works', 'fails', 'hangs', 'wakes')
      .map((tpm) => ({ do: 'tpm', tpm }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'destroy' } as const) },
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

interface Run {
  readonly statuses: number[];
  readonly results: number[];
}

class World {
  readonly runs: Run[] = [];
  destroyed = false;
  /** Calls after the end, and doWorks that sent more than one request. */
  readonly sins: string[] = [];
  tpm: 'works' | 'fails' | 'hangs' | 'wakes' = 'works';
  readonly #hanging: (() => void)[] = [];
  #bench: Bench | undefined;

  get bench(): Bench {
    if (this.#bench === undefined) throw new Error('not started');
    return this.#bench;
  }

  async start(dialect: 'drs' | 'dps'): Promise<void> {
    const tpm = createFakeTpm({
      onCall: (call) => {
        if (call === 'getRegistrationId' || this.tpm === 'works' || this.tpm === 'wakes') return undefined;
        if (this.tpm === 'fails') throw new Error('the TPM refuses');
        return new Promise((resolve) => {
          this.#hanging.push(resolve);
        });
      },
    });
    this.#bench = await startBench({ dialect, tpm, throttleMs: 0 });
    this.bench.client.setOption('logtrace', true);
  }

  register(): void {
    const run: Run = { statuses: [], results: [] };
    const note = (values: number[]) => (value: number) => {
      if (this.destroyed) this.sins.push('called after destroy');
      values.push(value);
    };
    const accepted = this.bench.client.registerDevice(note(run.results), undefined, note(run.statuses));
    if (run.results.length + run.statuses.length > 0) this.sins.push('called from registerDevice');
    if (accepted === ProvDeviceResult.OK) this.runs.push(run);
  }

  work(): void {
    const { client, peer } = this.bench;
    const before = peer.requests.length + peer.opens;
    client.doWork();
    if (peer.requests.length + peer.opens > before + 1) this.sins.push('sent twice in one doWork');
  }

  async take(step: Step): Promise<void> {
    const { client, peer, clock } = this.bench;
    const told = this.told;
    switch (step.do) {
      case 'work':
        for (let turns = 0; turns < step.times; turns += 1) {
          this.work();
          await settle();
        }
        return;
      case 'connect':
        peer.connect();
        break;
      case 'serve':
        this.#serve();
        break;
      case 'reply':
        peer.reply(step.answer.status, step.answer.body);
        break;
      case 'fail':
        peer.fail(new Error('fault'));
        break;
      case 'repeat':
        peer.repeat();
        break;
      case 'wait':
        await clock.advance(step.ms);
        break;
      case 'register':
        this.register();
        break;
      case 'tpm':
        this.tpm = step.tpm;
        if (step.tpm === 'wakes') for (const wake of this.#hanging.splice(0)) wake();
        break;
      case 'destroy':
        client.destroy();
        this.destroyed = true;
        break;
      default:
        step satisfies never;
    }
    await settle();
    if (this.told !== told) this.sins.push(`called outside doWork, by ${step.do}`);
  }

  /** What a service that means well would do. */
  #serve(): void {
    const { peer } = this.bench;
    peer.connect();
    const { method, target = '', headers = {} } = peer.requests.at(-1) ?? {};
    const answer = ((): Answer => {
      if (target.includes('/register-me?')) return good.nonce;
      if (target.includes('/trust-confirmation/')) return good.progressUrl;
      if (target.startsWith('/p?')) return good.hub;
      if (method === 'GET') return good.assigned;
      return 'authorization' in headers ? good.operation : good.wrappedKey;
    })();
    peer.reply(answer.status, answer.body);
  }

  /** Lets the last run end by itself: nobody answers any more. */
  async end(): Promise<void> {
    for (let turns = 0; turns < 6; turns += 1) {
      this.work();
      await this.bench.clock.advance(300_001);
      await settle();
    }
  }

  get told(): number {
    return this.runs.reduce((sum, { statuses, results }) => sum + statuses.length + results.length, 0);
  }
}

describe.each(['drs', 'dps'] as const)('%s', (dialect) => {
  test('every registration ends in exactly one result, none after destroy; statuses only go up; nothing secret is logged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 20, maxLength: 80, size: 'max' }), async (sequence) => {
        const world = new World();
        await world.start(dialect);
        world.register();
        for (const step of sequence) await world.take(step);
        await world.end();
        const { runs, destroyed, sins, bench } = world;
        expect(sins).toEqual([]);
        runs.forEach(({ statuses, results }, index) => {
          // A run that was under way when the client was destroyed has no result; there can only be one, the last.
          const cutOff = destroyed && index === runs.length - 1;
          expect(results.length).toBeLessThanOrEqual(1);
          if (!cutOff) expect(results).toHaveLength(1);
          expect(statuses).toEqual([...new Set(statuses)].toSorted((left, right) => left - right));
        });
        expect([bench.client.state, bench.client.isConnected]).toEqual(['READY', false]);
        const log = JSON.stringify(bench.logLines);
        for (const secret of [
          plainNonce,
          Buffer.from(plainNonce).toString('base64'),
          'SharedAccessSignature',
        ]) {
          expect(log).not.toContain(secret);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test.each(['drs', 'dps'] as const)(
  'a service that means well does assign the device (%s)',
  async (dialect) => {
    const world = new World();
    await world.start(dialect);
    world.register();
    for (let turns = 0; turns < 20; turns += 1) {
      await world.take({ do: 'work', times: 1 });
      await world.take({ do: 'serve' });
    }
    expect(world.runs).toEqual([{ statuses: [0, 1, 2, 3], results: [ProvDeviceResult.OK] }]);
  },
);
