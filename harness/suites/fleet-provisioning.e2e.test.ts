/** The utility on simulated fleets, end to end: what is reported is what the gateways and the service know. */
import { randomInt } from 'node:crypto';
import type { JournalEntry, ProvisioningReport } from '@endorse/provisioning-utility';
import { deviceOutcomes, renderReport } from '@endorse/provisioning-utility';
import { expect, test } from 'vitest';
import { breakSome, describeFleet } from '../gateways/fleet-specs.ts';
import { accessTo, createSiteOperator } from '../gateways/provision-site.ts';
import type { Site } from '../gateways/site.ts';
import { startSite } from '../gateways/site.ts';
import type { GatewayFault } from '../gateways/spec.ts';
import { gatewayFaults } from '../gateways/spec.ts';
import { watchRequests } from '../support/watch-requests.ts';

const minutes = 60_000;

/** What a gateway with a fault comes to. */
const outcomeOf: Readonly<Record<GatewayFault, string>> = {
  locked: 'blocked',
  claimed: 'blocked',
  'session-limit': 'blocked',
  'no-tpm': 'blocked',
  'key-after-selection': 'provisioned',
  busy: 'provisioned',
  'refuses-writes': 'failed',
  'forgets-writes': 'failed',
  'malformed-answers': 'failed',
  'drops-connections': 'failed',
  unreachable: 'failed',
  'wrong-serial': 'conflict',
  'foreign-key': 'pending',
  'never-connects': 'pending',
};

/** Everything there is was reported once, and the totals add up. */
function expectWholeReport(report: ProvisioningReport, devices: number): void {
  expect(report.devices).toHaveLength(devices);
  expect(new Set(report.devices.map(({ key }) => key)).size).toBe(devices);
  const counted = deviceOutcomes.map(
    (outcome) => report.devices.filter((device) => device.outcome === outcome).length,
  );
  expect(deviceOutcomes.map((outcome) => report.totals[outcome])).toEqual(counted);
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(devices);
  expect(report.isComplete).toBe(true);
}

/** What the report says of a gateway is what the gateway and the service say. */
async function expectTrueReport(report: ProvisioningReport, site: Site): Promise<void> {
  for (const { address, outcome, assignedHub, deviceId } of report.devices) {
    const gateway = site.fleet.gateways.find(({ spec }) => spec.address === address);
    const isDone = outcome === 'provisioned' || outcome === 'unchanged';
    expect(gateway?.assignment).toEqual(isDone ? { assignedHub, deviceId } : undefined);
    // The other family cannot end sessions, and one that answers nothing can neither.
    const canEnd = gateway?.device?.family === 'aig-302' && !gateway.device.has('drops-connections');
    if (canEnd) expect(gateway.openSessions, address).toBe(0);
  }
}

test(
  '[X2] [W8] [S2] a fleet with the oddities of the field is provisioned, and a second run writes nothing',
  { timeout: 2 * minutes },
  async () => {
    await using site = await startSite({
      specs: describeFleet({ count: 12, port: 0, network: [42, 0] }),
      algorithm: 'ecc',
    });
    await using operator = createSiteOperator(accessTo(site));
    const inventory = await operator.discover(AbortSignal.timeout(minutes));
    expect(inventory).toHaveLength(13);
    const report = await operator.apply(await operator.plan(inventory));
    expectWholeReport(report, 13);
    await expectTrueReport(report, site);
    expect(report.totals).toMatchObject({ provisioned: 10, conflict: 2, skipped: 1 });
    const events = site.fleet.gateways.flatMap((gateway) => gateway.events);
    expect(events.filter(({ event }) => event === 'registration-failed')).toEqual([]);

    const before = events.length;
    const writes: JournalEntry[] = [];
    const again = await operator.apply(await operator.plan(inventory), {
      onEntry: (entry) => {
        if (entry.event === 'write-started') writes.push(entry);
      },
    });
    expect(again.totals).toMatchObject({ unchanged: 10, conflict: 2, skipped: 1 });
    expect(writes).toEqual([]);
    const after = site.fleet.gateways.flatMap((gateway) => gateway.events).slice(0);
    const changes = (list: typeof after): number =>
      list.filter(({ event }) => event === 'setting-changed' || event === 'provisioning-written').length;
    expect(after.length).toBeGreaterThan(before);
    expect(changes(after)).toBe(changes(events));
  },
);

test(
  '[X2] a gateway that moved after it was provisioned is planned at its new address, and nothing is written',
  { timeout: 2 * minutes },
  async () => {
    await using site = await startSite({
      specs: describeFleet({ count: 2, quirks: false, port: 0, network: [43, 0] }),
      algorithm: 'ecc',
    });
    await using operator = createSiteOperator(accessTo(site));
    const inventory = await operator.discover(AbortSignal.timeout(minutes));
    const plan = await operator.plan(inventory);
    expect((await operator.apply(plan)).totals.provisioned).toBe(2);
    const [gateway] = site.fleet.gateways;
    const from = gateway?.spec.address;
    const moved = '127.43.0.200';
    await gateway?.moveTo(moved, 'AIG-301-T');
    const seen = inventory.map((row) => (row.address === from ? { ...row, address: moved } : row));
    const report = await operator.apply(await operator.plan(seen));
    expect(report.totals).toMatchObject({ unchanged: 2 });
    expect(report.devices.map(({ address }) => address)).toContain(moved);
  },
);

test(
  '[X7] [L5] connections to gateways carry nothing for the service, and the reverse',
  async () => {
    const specs = describeFleet({ count: 3, quirks: false, port: 0, network: [45, 0] });
    await using site = await startSite({ specs, algorithm: 'ecc' });
    await using operator = createSiteOperator(accessTo(site));
    using watch = watchRequests();
    const report = await operator.apply(
      await operator.plan(await operator.discover(AbortSignal.timeout(minutes))),
    );
    expect(report.totals.provisioned).toBe(3);
    const gateways = new Set(specs.map(({ address }) => address));
    const toGateways = watch.sent.filter(({ remoteAddress }) => gateways.has(remoteAddress));
    const toService = watch.sent.filter(({ remoteAddress }) => !gateways.has(remoteAddress));
    expect(toGateways.length).toBeGreaterThan(30);
    expect(toService.length).toBeGreaterThan(6);
    for (const { path, header } of toGateways) {
      expect(path).toMatch(/^\/api\/v1\//);
      expect(header).not.toMatch(/SharedAccessSignature/i);
      if (path !== '/api/v1/auth') expect(header).toMatch(/^authorization: Bearer \S+$/im);
    }
    for (const { path, header } of toService) {
      expect(path).not.toMatch(/^\/api\//);
      expect(header).not.toMatch(/Bearer/i);
    }
    const lan = new Set(toGateways.map(({ socket }) => socket));
    expect(toService.filter(({ socket }) => lan.has(socket))).toEqual([]);
  },
  2 * minutes,
);

test(
  '[X6] [L8] every kind of fault ends as it should, and the report says why without a secret',
  { timeout: 3 * minutes },
  async () => {
    const count = gatewayFaults.length + 2;
    const specs = describeFleet({
      count,
      quirks: false,
      port: 0,
      network: [43, 0],
      faults: breakSome(count, gatewayFaults.length),
    });
    await using site = await startSite({ specs, algorithm: 'ecc' });
    await using operator = createSiteOperator(accessTo(site), {
      job: { verify: { timeoutMs: 4_000, pauseMs: 200 } },
      limits: { maxAttempts: 3 },
    });
    const inventory = await operator.discover(AbortSignal.timeout(minutes));
    const report = await operator.apply(await operator.plan(inventory));
    expectWholeReport(report, count);
    const ended = Object.fromEntries(
      specs.map(({ faults, address }) => [
        faults[0] ?? 'none',
        report.devices.find((device) => device.address === address)?.outcome,
      ]),
    );
    expect(ended).toEqual({ ...outcomeOf, none: 'provisioned' });
    for (const { outcome, problem } of report.devices) {
      if (outcome !== 'provisioned' && outcome !== 'pending') expect(problem?.code).toMatch(/^ERR_/);
    }
    const texts = (['table', 'json', 'junit', 'csv', 'markdown'] as const)
      .map((format) => renderReport(report, format))
      .join('');
    expect(texts).not.toContain('moxa-factory-1');
    expect(texts).not.toMatch(/SharedAccessKey=|Bearer |eyJ/);
  },
);

test(
  '[X3] fifty gateways with random faults each end in exactly one outcome',
  { timeout: 5 * minutes },
  async () => {
    const count = 50;
    const seed = randomInt(2 ** 31);
    const next = random(seed);
    const faults = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        index,
        next() < 0.2 ? [gatewayFaults[Math.floor(next() * gatewayFaults.length)] as GatewayFault] : [],
      ]),
    );
    await using site = await startSite({
      specs: describeFleet({ count, quirks: false, port: 0, network: [44, 0], faults }),
      algorithm: 'ecc',
    });
    await using operator = createSiteOperator(accessTo(site), {
      job: { verify: { timeoutMs: 5_000, pauseMs: 200 } },
      limits: { maxAttempts: 3 },
    });
    const inventory = await operator.discover(AbortSignal.timeout(minutes));
    const finished: string[] = [];
    const report = await operator.apply(await operator.plan(inventory), {
      onEntry: (entry) => {
        if (entry.event === 'device-finished') finished.push(entry.device);
      },
    });
    expectWholeReport(report, count);
    expect(finished.toSorted()).toEqual([...new Set(finished)].toSorted());
    const ended = report.devices.map(({ address, outcome }) => ({ address, outcome }));
    const expected = site.fleet.gateways.map(({ spec }) => ({
      address: spec.address,
      outcome: spec.faults[0] === undefined ? 'provisioned' : outcomeOf[spec.faults[0]],
    }));
    const byAddress = (a: { address: string }, b: { address: string }): number =>
      a.address < b.address ? -1 : 1;
    expect(ended.toSorted(byAddress), `seed ${seed}`).toEqual(expected.toSorted(byAddress));
    await expectTrueReport(report, site);
  },
);

/** Numbers from 0 to 1 that repeat for a seed: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
