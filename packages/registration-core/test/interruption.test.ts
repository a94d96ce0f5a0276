import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createScriptedTransport } from '@endorse/testkit';
import { TpmRegistration, register } from '@endorse/registration-core';
import { states } from '@endorse/registration-core/machine';
import { describe, expect, it } from 'vitest';
import { createFakeTpm } from './support/fake-identities.ts';
import { runToEnd } from './support/run.ts';
import { happyTpmScript, target } from './support/scripts.ts';
import { stallAt, stallPoints } from './support/stall.ts';

/** Lets time pass, in the 3 s of the happy script's pauses, until the place is reached. */
async function untilReached(clock: VirtualClock, reached: () => boolean): Promise<void> {
  for (let pauses = 0; pauses < 4 && !reached(); pauses += 1) {
    for (let turn = 0; turn < 10 && !reached(); turn += 1) await clock.advance(0);
    if (!reached()) await clock.advance(3000);
  }
  expect(reached()).toBe(true);
  await clock.advance(0);
}

it('stall points cover every state that does something', () => {
  const busy = Object.entries(states).filter(([, { activity }]) => activity !== undefined);
  const covered = new Set(stallPoints.map(({ state }) => state));
  // A back-off is a pause like any other; it has its own test below.
  expect(busy.map(([name]) => name).filter((name) => !covered.has(name as never))).toEqual(['backing-off']);
});

describe.each(stallPoints)('while $name stands still', (point) => {
  it('cancel() ends the run once, closes the session, leaves the TPM at rest, and register() works again', async () => {
    const clock = new VirtualClock();
    const stalled = stallAt(point);
    const registration = new TpmRegistration(
      target.provisioningHost,
      target.idScope,
      stalled.transport,
      stalled.securityClient,
      { clock },
    );
    const ends: unknown[] = [];
    void registration.register().then(
      () => ends.push('fulfilled'),
      (error: unknown) => ends.push(error),
    );
    await untilReached(clock, stalled.reached);
    expect(ends).toEqual([]);
    const { status } = await runToEnd(clock, registration.cancel());
    expect(status).toBe('fulfilled');
    expect(ends).toMatchObject([{ code: 'ERR_REGISTRATION_CANCELLED', fault: 'caller' }]);
    expect(stalled.transport.openSessions).toBe(0);
    expect(stalled.transport.departures).toEqual([]);
    expect(stalled.securityClient.pending).toBe(0);
    expect(clock.pendingSleeps).toBe(0);
    expect(registration.isRunning).toBe(false);
    expect(await runToEnd(clock, registration.register())).toMatchObject({ status: 'fulfilled' });
    stalled.transport.assertDone();
  });

  it("the caller's abort rejects with the very reason, which the stalled call gets too", async () => {
    const clock = new VirtualClock();
    const { transport, securityClient, reached, abortedWith } = stallAt(point);
    const controller = new AbortController();
    const registering = register({ ...target, transport, securityClient, clock, signal: controller.signal });
    registering.catch(() => undefined);
    await untilReached(clock, reached);
    const reason = { not: 'even an Error' };
    controller.abort(reason);
    const outcome = await runToEnd(clock, registering);
    expect(outcome.status === 'rejected' && outcome.reason).toBe(reason);
    if (point.tpm !== undefined) expect(abortedWith()).toBe(reason);
    expect(transport.openSessions).toBe(0);
    expect(clock.pendingSleeps).toBe(0);
  });
});

describe('the deadline', () => {
  // A pause does not stand still until it is aborted: it has its own test.
  const points = stallPoints.filter(({ state }) => state !== 'waiting');

  it.each(points)('ends the run once while $name stands still', async (point) => {
    const clock = new VirtualClock();
    const { transport, securityClient, reached } = stallAt(point);
    const registering = register({ ...target, transport, securityClient, clock, deadlineMs: 29_000 });
    const outcome = await runToEnd(clock, registering);
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'ERR_TIMEOUT', state: point.state, deadlineMs: 29_000 },
    });
    expect(reached()).toBe(true);
    expect(transport.openSessions).toBe(0);
    expect(transport.departures).toEqual([]);
    expect(securityClient.pending).toBe(0);
    expect(clock.pendingSleeps).toBe(0);
  });

  it('passes during the pause before a poll', async () => {
    const clock = new VirtualClock();
    const transport = createScriptedTransport(happyTpmScript.slice(0, 2));
    const startedAt = clock.now();
    const outcome = await runToEnd(
      clock,
      register({ ...target, transport, securityClient: createFakeTpm(), clock, deadlineMs: 2000 }),
    );
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_TIMEOUT', state: 'waiting' } });
    expect(clock.now() - startedAt).toBe(2000);
    transport.assertDone();
  });
});

describe('an abort', () => {
  it('before the start does no IO at all', async () => {
    const clock = new VirtualClock();
    const transport = createScriptedTransport([]);
    const securityClient = createFakeTpm();
    const registering = register({
      ...target,
      transport,
      securityClient,
      clock,
      signal: AbortSignal.abort('no'),
    });
    await expect(registering).rejects.toBe('no');
    expect(transport.calls).toEqual([]);
    expect(securityClient.calls).toEqual([]);
    expect(clock.pendingSleeps).toBe(0);
  });

  it.each(stallPoints.filter(({ tpm }) => tpm !== undefined))(
    'waits until the TPM has cleaned up after $name',
    async (point) => {
      const clock = new VirtualClock();
      let cleaned = false;
      const { transport, securityClient, reached } = stallAt(point, async () => {
        await clock.sleep(4000, new AbortController().signal);
        cleaned = true;
      });
      const registration = new TpmRegistration(
        target.provisioningHost,
        target.idScope,
        transport,
        securityClient,
        { clock },
      );
      const registering = registration.register();
      registering.catch(() => undefined);
      await untilReached(clock, reached);
      const cancelling = registration.cancel();
      await clock.advance(3999);
      expect({ cleaned, running: registration.isRunning }).toEqual({ cleaned: false, running: true });
      await runToEnd(clock, cancelling);
      expect(cleaned).toBe(true);
      await expect(registering).rejects.toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED' });
    },
  );

  it('gives up after 10 s on a TPM that ignores its signal', async () => {
    const clock = new VirtualClock();
    const transport = createScriptedTransport([]);
    let reached = false;
    const securityClient = createFakeTpm({
      hook: () => {
        reached = true;
        return new Promise<void>(() => undefined);
      },
    });
    const registration = new TpmRegistration(
      target.provisioningHost,
      target.idScope,
      transport,
      securityClient,
      { clock },
    );
    const registering = registration.register();
    registering.catch(() => undefined);
    await untilReached(clock, () => reached);
    const startedAt = clock.now();
    await runToEnd(clock, registration.cancel());
    expect(clock.now() - startedAt).toBe(10_000);
    await expect(registering).rejects.toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED' });
  });
});
