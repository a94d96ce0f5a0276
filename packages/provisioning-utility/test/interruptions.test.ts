/** Runs that end in the middle: by a crash, by a wish, by a full disk; and runs in which much goes wrong. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '@endorse/thingspro-edge';
import type { ProvisioningReport } from '@endorse/provisioning-utility';
import { ProvisioningError, createReport, deviceOutcomes } from '@endorse/provisioning-utility';
import { failure } from './support/memory-service.ts';
import type { MemorySite } from './support/site.ts';
import { MemoryJournal, MemoryPasswords, provisionedSite, wholeJob } from './support/site.ts';

const job = {
  ...wholeJob,
  configure: { ...wholeJob.configure, rotatePassword: true, httpsPort: 9443, time: true },
};

/** A site that was provisioned with another service before, so that every step has something to do. */
async function usedSite(): Promise<MemorySite> {
  const site = await provisionedSite();
  site.passwords = new MemoryPasswords();
  site.gateway.timeOffsetMs = 7_200_000;
  site.gateway.provisioning = {
    ...site.gateway.provisioning,
    enabled: true,
    source: 'dps',
    scopeId: '0neOLD00000',
  };
  return site;
}

/** What the world looks like, and what the report says of it, without times. */
function endState(site: MemorySite, report: ProvisioningReport): unknown {
  const { gateway, service } = site;
  return {
    provisioning: gateway.provisioning,
    settings: [gateway.ssh, gateway.discovery, gateway.serialConsole, gateway.services, gateway.httpsPort],
    time: gateway.timeOffsetMs,
    password: gateway.password,
    sessions: gateway.openSessions,
    enrollment: { ...service.stored.get('tbbaa1234500'), etag: '' },
    outcome: report.devices.map(({ outcome }) => outcome),
    steps: report.devices.map(({ steps }) => steps.map(({ step, result }) => `${step} ${result}`)),
  };
}

class Crash extends Error {}

/** Lets the run die at its n-th operation, just before it or just after: from then on nothing has any effect. */
async function crashAt(
  at: number,
  when: 'before' | 'after',
): Promise<{ site: MemorySite; report: ProvisioningReport; isReached: boolean }> {
  const site = await usedSite();
  const plan = await site.plan(job);
  const journal = new MemoryJournal();
  let count = 0;
  const check = (): void => {
    count += 1;
    if (count > at || (when === 'before' && count === at)) throw new Crash();
  };
  const { beforeCall } = site.service;
  site.service.beforeCall = async (name) => {
    check();
    await beforeCall(name);
  };
  site.gateway.beforeCall = check;
  journal.beforeAppend = () => {
    check();
  };
  const passwords = site.passwords;
  if (passwords !== undefined) {
    site.passwords = {
      get: (serial) => passwords.get(serial),
      put: async (serial, password) => {
        check();
        await passwords.put(serial, password);
      },
    };
  }
  await site.apply(plan, journal).catch(() => undefined);
  site.service.beforeCall = beforeCall;
  site.gateway.beforeCall = () => undefined;
  site.passwords = passwords;
  // A process that died took its sessions with it.
  site.gateway.openSessions = 0;
  const report = await site.apply(plan, journal.resumed());
  return { site, report, isReached: count >= at };
}

describe('crashes', () => {
  test(
    '[X1] wherever a run dies, before or after any operation, resuming ends in the state of an undisturbed run',
    { timeout: 60_000 },
    async () => {
      const undisturbed = await usedSite();
      const expected = endState(undisturbed, await undisturbed.apply(await undisturbed.plan(job)));
      let crashes = 0;
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; ; at += 1) {
          const { site, report, isReached } = await crashAt(at, when);
          if (!isReached) break;
          expect(endState(site, report), `crash ${when} operation ${at}`).toEqual(expected);
          crashes += 1;
        }
      }
      expect(crashes).toBeGreaterThan(100);
    },
  );

  test('a report of a journal that ends in the middle says what was interrupted', async () => {
    const site = await provisionedSite(2);
    const plan = await site.plan();
    const journal = new MemoryJournal();
    await site.apply(plan, journal);
    const cut = journal.entries.findIndex((entry) => entry.event === 'write-started');
    const report = createReport(plan, journal.entries.slice(0, cut + 1));
    expect(report.isComplete).toBe(false);
    expect(report.devices[0]?.outcome).toBe('interrupted');
    expect(report.devices[0]?.steps.at(-1)).toMatchObject({ step: 'enroll', result: 'interrupted' });
  });

  test('a full disk stops the run before anything more is written anywhere', async () => {
    const site = await provisionedSite(3);
    const plan = await site.plan();
    const journal = new MemoryJournal();
    let room = 12;
    journal.beforeAppend = () => {
      if ((room -= 1) < 0) throw new ProvisioningError('ERR_JOURNAL_WRITE', 'cannot write: ENOSPC');
    };
    await expect(site.apply(plan, journal)).rejects.toMatchObject({ code: 'ERR_JOURNAL_WRITE' });
    const known = journal.entries.filter(({ event }) => event === 'write-started').length;
    expect(site.writes.length).toBeLessThanOrEqual(known);
    expect(site.gateways.map(({ openSessions }) => openSessions)).toEqual([0, 0, 0]);
    expect((await site.apply(plan, journal.resumed())).totals).toMatchObject({ provisioned: 3 });
  });
});

describe('stopping', () => {
  test('a wish to stop lets steps finish, begins no other, closes sessions, and can be resumed', async () => {
    const site = await provisionedSite(4);
    const plan = await site.plan();
    const stopping = new AbortController();
    const journal = new MemoryJournal();
    const report = await site.apply(plan, journal, {
      stop: stopping.signal,
      limits: { concurrency: 2 },
      onEntry: (entry) => {
        if (entry.event === 'write-started') stopping.abort();
      },
    });
    expect(report.totals).toMatchObject({ interrupted: 2, 'not-started': 2 });
    const open = journal.entries.filter(({ event }) => event === 'write-started').length;
    const finished = journal.entries.filter(
      (entry) => entry.event === 'step-finished' && entry.result === 'changed',
    ).length;
    expect(finished).toBe(open);
    expect(site.gateways.map(({ openSessions }) => openSessions)).toEqual([0, 0, 0, 0]);
    expect((await site.apply(plan, journal.resumed())).totals).toMatchObject({
      provisioned: 4,
      interrupted: 0,
      'not-started': 0,
    });
  });

  test('[X4] after so many failures no further device is begun', async () => {
    const site = await provisionedSite(10);
    for (const gateway of site.gateways) {
      gateway.beforeCall = (name) => {
        if (name === 'writeProvisioning')
          throw new GatewayError('ERR_GATEWAY_REFUSED', 'no', { status: 400 });
      };
    }
    const report = await site.apply(await site.plan(), new MemoryJournal(), {
      maxFailures: 3,
      limits: { concurrency: 1 },
    });
    expect(report.totals).toMatchObject({ failed: 3, 'not-started': 7 });
    await expect(
      site.apply(await site.plan(), new MemoryJournal(), { maxFailures: 0 }),
    ).rejects.toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });

  test('devices are worked on several at once, and no more than that', async () => {
    const site = await provisionedSite(9);
    const plan = await site.plan();
    let most = 0;
    for (const gateway of site.gateways) {
      gateway.beforeCall = () => {
        most = Math.max(
          most,
          site.gateways.reduce((sum, { openSessions }) => sum + openSessions, 0),
        );
      };
    }
    await site.apply(plan, new MemoryJournal(), { limits: { concurrency: 4 } });
    expect(most).toBe(4);
  });

  test('calls to the service keep to the rate', async () => {
    const site = await provisionedSite(12);
    const plan = await site.plan();
    site.forgetCalls();
    const startedAt = site.clock.now();
    await site.apply(plan, new MemoryJournal(), { limits: { cloudCallsPerMinute: 60, cloudBurst: 2 } });
    const elapsedMs = site.clock.now() - startedAt;
    expect(elapsedMs).toBeGreaterThanOrEqual((site.service.calls.length - 2) * 1000 - 1000);
  });
});

describe('faults', () => {
  test(
    '[X3] of 50 devices with a fault in a fifth of the calls, each ends in exactly one outcome and the totals add up',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), async (chances) => {
          const site = await provisionedSite(50);
          const plan = await site.plan();
          const maybe = (error: Error): void => {
            if (chances.next().value < 0.02) throw error;
          };
          const { beforeCall } = site.service;
          site.service.beforeCall = async (name) => {
            await beforeCall(name);
            maybe(failure(503));
          };
          for (const [index, gateway] of site.gateways.entries()) {
            if (index % 5 !== 0) continue;
            gateway.beforeCall = (name) => {
              if (name === 'signIn') maybe(new GatewayError('ERR_GATEWAY_LOCKED', 'locked', { status: 423 }));
              if (chances.next().value < 0.2)
                throw new GatewayError('ERR_GATEWAY_BUSY', 'busy', { status: 400 });
            };
          }
          const journal = new MemoryJournal();
          const report = await site.apply(plan, journal);
          const ends = journal.entries
            .filter((entry) => entry.event === 'device-finished')
            .map(({ device }) => device);
          expect(new Set(ends).size).toBe(50);
          expect(ends).toHaveLength(50);
          expect(report.devices).toHaveLength(50);
          expect(deviceOutcomes.reduce((sum, outcome) => sum + report.totals[outcome], 0)).toBe(50);
          for (const { outcome, problem } of report.devices) {
            expect(problem === undefined).toBe(!['failed', 'conflict', 'blocked'].includes(outcome));
          }
          expect(site.gateways.every(({ openSessions }) => openSessions === 0)).toBe(true);
        }),
        { numRuns: 5 },
      );
    },
  );
});
