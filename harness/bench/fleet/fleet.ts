/**
 * A fleet provisioned end to end, and what one gateway costs beside the sum of its parts: the same calls made one
 * after the other by hand, without plan, journal, scheduling and repetition.
 *
 * Everything runs in one process, gateways and service included, so that it is the whole that is compared.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEnrollmentClient, tpmEnrollment } from '@endorse/enrollment-client';
import { Secret } from '@endorse/interface';
import { openJournal } from '@endorse/provisioning-utility';
import { createGatewayClient, createMemoryPins } from '@endorse/thingspro-edge';
import { describeFleet } from '../../gateways/fleet-specs.ts';
import type { SimulatedGateway } from '../../gateways/gateway.ts';
import { accessTo, createSiteOperator } from '../../gateways/provision-site.ts';
import type { Site } from '../../gateways/site.ts';
import { startSite } from '../../gateways/site.ts';
import { factoryPassword, factoryUser } from '../../gateways/spec.ts';
import type { Summary } from '../support/statistics.ts';
import { summarize } from '../support/statistics.ts';

/** What was measured. */
export interface FleetFigures {
  readonly gateways: number;
  /** From the first probe until every gateway was found. */
  readonly discoveryMs: number;
  /** Looking at every gateway, eight at once. */
  readonly planMs: number;
  /** From the first step to the report, eight at once, with a journal on disk. */
  readonly applyMs: number;
  /** How many ended as provisioned. */
  readonly provisioned: number;
  /** `applyMs` for each gateway. */
  readonly applyMsPerGateway: number;
  /** One gateway after the other by the utility, in milliseconds. */
  readonly alone: Summary;
  /** One gateway after the other by hand, in milliseconds. */
  readonly parts: Summary;
  /** Median of the first over median of the second. */
  readonly aloneOverParts: number;
}

/** Waiting for probes to stay unanswered would be most of the time; a look at the registration comes at once. */
const job = {
  configure: { time: true, ssh: false, serialConsole: false, rotatePassword: false, allowLockout: false },
  verify: { timeoutMs: 60_000, pauseMs: 10 },
} as const;

/** Provisions `gateways` at once, then a few alone and a few by hand. */
export async function measureFleet(options: {
  readonly gateways: number;
  readonly alone: number;
}): Promise<FleetFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-fleet-'));
  try {
    await using site = await startSite({
      specs: describeFleet({ count: options.gateways, quirks: false, port: 0, network: [47, 0] }),
    });
    await site.fleet.keysReady();
    await using operator = createSiteOperator(accessTo(site), { job });
    const signal = AbortSignal.timeout(600_000);
    const [inventory, discoveryMs] = await timed(() => operator.discover(signal));
    const [plan, planMs] = await timed(() => operator.plan(inventory, { signal }));
    await using journal = await openJournal(join(folder, 'run.jsonl'), {
      resume: false,
      planDigest: plan.digest,
    });
    const [report, applyMs] = await timed(() => operator.apply(plan, { journal, signal }));

    const { alone, parts } = await measureOneByOne(options.alone);
    return {
      gateways: options.gateways,
      discoveryMs,
      planMs,
      applyMs,
      provisioned: report.totals.provisioned,
      applyMsPerGateway: applyMs / options.gateways,
      alone,
      parts,
      aloneOverParts: alone.median / parts.median,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Turn by turn, so that the machine's moods hit both. */
async function measureOneByOne(count: number): Promise<{ readonly alone: Summary; readonly parts: Summary }> {
  await using site = await startSite({
    specs: describeFleet({ count: 2 * count, quirks: false, port: 0, network: [48, 0] }),
  });
  await site.fleet.keysReady();
  await using operator = createSiteOperator(accessTo(site), { job, limits: { concurrency: 1 } });
  const inventory = await operator.discover(AbortSignal.timeout(60_000));
  const alone: number[] = [];
  const parts: number[] = [];
  for (const [index, gateway] of site.fleet.gateways.entries()) {
    if (index % 2 === 0) {
      const own = inventory.filter(({ address }) => address === gateway.spec.address);
      const plan = await operator.plan(own);
      const [, durationMs] = await timed(() => operator.apply(plan));
      alone.push(durationMs);
    } else {
      const [, durationMs] = await timed(() => provisionByHand(site, gateway));
      parts.push(durationMs);
    }
  }
  return { alone: summarize(alone), parts: summarize(parts) };
}

/** What the seed asks for, call by call, with the same packages. */
async function provisionByHand(site: Site, gateway: SimulatedGateway): Promise<void> {
  const { serviceConnectionString: connectionString, caPem: ca, idScope, endpoints } = site.emulator;
  const pins = createMemoryPins({ gateway: gateway.fingerprint });
  const client = createGatewayClient({
    host: gateway.spec.address,
    port: gateway.port,
    pinName: 'gateway',
    trust: { mode: 'strict', pins },
  });
  await using service = createEnrollmentClient({ connectionString, ca });
  await using session = await client.signIn({
    name: factoryUser,
    password: Secret.fromText(factoryPassword),
  });
  const registrationId = (await session.getIdentity()).serialNumber.toLowerCase();
  const endorsementKey = await session.readEndorsementKey();
  await session.setTime(Date.now());
  await service.enrollments.create(tpmEnrollment({ registrationId, endorsementKey }));
  await session.writeProvisioning({ scopeId: idScope, registrationId, globalEndpoint: endpoints.http });
  await session.setProvisioningEnabled(true);
  await session.getSettings();
  await session.writeSetting({ setting: 'serial-console', value: false });
  for (;;) {
    const { status } = await service.registrations.get(registrationId).catch(() => ({ status: 'absent' }));
    if (status === 'assigned') return;
    await new Promise((resolve) => setTimeout(resolve, job.verify.pauseMs));
  }
}

async function timed<Value>(work: () => Promise<Value>): Promise<readonly [Value, number]> {
  const startedAt = performance.now();
  const value = await work();
  return [value, performance.now() - startedAt];
}
