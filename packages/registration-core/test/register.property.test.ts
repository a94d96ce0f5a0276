/**
 * The driver against peers that do what they like, callers that abort whenever
 * they like, and time that passes only when nothing else can happen.
 */
import type { RegistrationProgress, SecurityClient } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { register } from '@endorse/registration-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFakeSymmetricKey, createFakeTpm, createFakeX509 } from './support/fake-identities.ts';
import type { Settled } from './support/run.ts';
import { runToEnd } from './support/run.ts';
import { target } from './support/scripts.ts';
import type { Whim } from './support/wild-peer.ts';
import { createWildPeer, dealer, end, whims } from './support/wild-peer.ts';

interface Scenario {
  readonly kind: SecurityClient['kind'];
  readonly challenge: 'request' | 'handshake';
  readonly peer: readonly Whim[];
  readonly client: readonly Whim[];
  readonly deadlineMs: number;
  /** When the caller aborts; undefined: never. */
  readonly abortAfterMs: number | undefined;
}

const clientWhims: fc.Arbitrary<readonly Whim[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant<Whim>('succeed') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Whim>('foreign-error', 'throw-undefined', 'throw-now', 'hang', 'hang-deaf'),
    },
  ),
  { minLength: 1, maxLength: 10 },
);

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  kind: fc.constantFrom('tpm', 'tpm', 'symmetric-key', 'x509'),
  challenge: fc.constantFrom('request', 'handshake'),
  peer: whims,
  client: clientWhims,
  deadlineMs: fc.integer({ min: 1, max: 400_000 }),
  abortAfterMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
});

function createIdentity({ kind, client }: Scenario): SecurityClient {
  if (kind === 'symmetric-key') return createFakeSymmetricKey(new Uint8Array(32));
  if (kind === 'x509') return createFakeX509();
  const deal = dealer(client);
  return createFakeTpm({
    hook: (_call, signal) => {
      const whim = deal();
      if (whim === 'throw-now') throw new Error('thrown before a promise');
      return end(whim, signal);
    },
  });
}

interface Observed {
  readonly settled: Settled<unknown>;
  readonly ends: number;
  readonly elapsedMs: number;
  readonly progress: readonly RegistrationProgress[];
  readonly peer: ReturnType<typeof createWildPeer>;
  readonly pendingSleeps: number;
  readonly reason: unknown;
}

async function observe(scenario: Scenario): Promise<Observed> {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const peer = createWildPeer(dealer(scenario.peer), scenario.challenge);
  const progress: RegistrationProgress[] = [];
  const controller = new AbortController();
  const reason = new Error('the caller had enough');
  const alarm = new AbortController();
  if (scenario.abortAfterMs !== undefined) {
    clock.sleep(scenario.abortAfterMs, alarm.signal).then(
      () => controller.abort(reason),
      () => undefined,
    );
  }
  let ends = 0;
  const registering = register({
    ...target,
    transport: peer.transport,
    securityClient: createIdentity(scenario),
    clock,
    random: { bytes: (byteLength) => new Uint8Array(byteLength).fill(128) },
    signal: controller.signal,
    deadlineMs: scenario.deadlineMs,
    onProgress: (report) => progress.push(report),
  });
  registering.then(
    () => (ends += 1),
    () => (ends += 1),
  );
  const settled = await runToEnd(clock, registering);
  const elapsedMs = clock.now() - startedAt;
  alarm.abort();
  await clock.advance(0);
  return { settled, ends, elapsedMs, progress, peer, pendingSleeps: clock.pendingSleeps, reason };
}

it('every run ends once and in time, with its session closed, its tokens gone and no timer left', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      const { settled, ends, elapsedMs, progress, peer, pendingSleeps, reason } = await observe(scenario);
      expect(ends).toBe(1);
      const limitMs = Math.min(scenario.deadlineMs, scenario.abortAfterMs ?? Number.POSITIVE_INFINITY);
      expect(elapsedMs).toBeLessThanOrEqual(limitMs + 15_000);
      expect(peer.counts.closed).toBe(peer.counts.opened);
      expect(pendingSleeps).toBe(0);
      for (const token of peer.tokens) expect(() => token.reveal()).toThrow('disposed');

      const last = progress.at(-1);
      const terminal = progress.filter(
        ({ event }) => event === 'registration-assigned' || event === 'registration-failed',
      );
      expect(terminal).toEqual([last]);
      expect(last?.event).toBe(
        settled.status === 'fulfilled' ? 'registration-assigned' : 'registration-failed',
      );
      if (last?.event === 'registration-failed' && last.code === 'ABORT_ERR') {
        expect(settled).toEqual({ status: 'rejected', reason });
      }
      seen.add(last?.event === 'registration-failed' ? last.code : 'assigned');
    }),
    { numRuns: 600 },
  );
  // The property means little unless runs end in many ways.
  for (const code of [
    'assigned',
    'ABORT_ERR',
    'ERR_TIMEOUT',
    'ERR_REGISTRATION_FAILED',
    'ERR_SERVICE_UNAUTHORIZED',
  ]) {
    expect(seen).toContain(code);
  }
}, 60_000);

it('the number of requests is bounded whatever the peer answers, without help of the clock', async () => {
  await fc.assert(
    fc.asyncProperty(whims, async (peerWhims) => {
      const peer = createWildPeer(dealer(peerWhims.filter((whim) => !whim.startsWith('hang'))), 'request');
      const clock = new VirtualClock();
      await runToEnd(
        clock,
        register({
          ...target,
          transport: peer.transport,
          securityClient: createFakeTpm(),
          clock,
          deadlineMs: 86_400_000,
          retry: { maxPolls: 20, maxRetries: 3 },
        }),
      );
      // Polls, repeats of failed requests, one restart, and the first challenge and register.
      expect(peer.counts.requests).toBeLessThanOrEqual(20 + 2 * (3 + 1) + 1 + 2);
    }),
    { numRuns: 200 },
  );
}, 60_000);
