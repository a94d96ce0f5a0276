/** The whole of the provisioning utility on a simulated site: find, plan, apply, report. */
import { collectDevices } from '@endorse/discovery';
import type { EnrollmentClient } from '@endorse/enrollment-client';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { Secret, silentLogger } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import type {
  ApplyPlanOptions,
  CredentialPolicy,
  InventoryDevice,
  Journal,
  JournalEntry,
  MakePlanOptions,
  ProvisioningJob,
  ProvisioningPlan,
  ProvisioningPorts,
  ProvisioningReport,
  RunLimits,
} from '@endorse/provisioning-utility';
import { applyPlan, discoveryProbe, inventoryFromDiscovery, makePlan } from '@endorse/provisioning-utility';
import type { PinStore } from '@endorse/thingspro-edge';
import { createGatewayClient, createMemoryPins } from '@endorse/thingspro-edge';
import type { Site } from './site.ts';
import { factoryPassword, factoryUser } from './spec.ts';

/** An operator at a site, with a service connection that has to be closed. */
export interface SiteOperator extends AsyncDisposable {
  readonly job: ProvisioningJob;
  readonly ports: ProvisioningPorts;
  readonly credentials: CredentialPolicy;
  readonly pins: PinStore;
  /** Asks every device of the site who it is; ends early when all have answered. */
  discover(signal: AbortSignal): Promise<readonly InventoryDevice[]>;
  plan(inventory: readonly InventoryDevice[], options?: Partial<MakePlanOptions>): Promise<ProvisioningPlan>;
  apply(plan: ProvisioningPlan, options?: Partial<ApplyPlanOptions>): Promise<ProvisioningReport>;
}

/** Options of {@link createSiteOperator}. */
export interface SiteOperatorOptions {
  /** What differs from the usual job. */
  readonly job?: Partial<ProvisioningJob>;
  readonly limits?: RunLimits;
}

/** Models that the operator means to provision. */
const eligibility = { models: ['AIG-*', 'UC-*'], capabilities: ['dps'] };

/** The pace of the public service would take most of the time of a run against an emulated one. */
const fastLimits: RunLimits = { concurrency: 8, cloudCallsPerMinute: 100_000, cloudBurst: 1_000 };

/** Prepares an operator who enrolls, writes back, closes SSH, console and discovery, and waits for `assigned`. */
export function createSiteOperator(site: Site, options: SiteOperatorOptions = {}): SiteOperator {
  const { emulator, discoveryPort } = site;
  const limits = { ...fastLimits, ...options.limits };
  const client: EnrollmentClient = createEnrollmentClient({
    connectionString: emulator.serviceConnectionString,
    ca: emulator.caPem,
  });
  const pins = createMemoryPins();
  const job: ProvisioningJob = {
    service: { endpoint: emulator.provisioningHost, policyName: 'provisioningserviceowner' },
    enrollment: { capabilities: { iotEdge: true } },
    writeBack: { idScope: emulator.idScope, globalEndpoint: emulator.endpoints.http },
    configure: {
      time: true,
      ssh: false,
      serialConsole: false,
      discovery: false,
      rotatePassword: false,
      allowLockout: false,
    },
    verify: { timeoutMs: 30_000, pauseMs: 250 },
    ...options.job,
  };
  const ports: ProvisioningPorts = {
    openGateway: ({ serial, host, port, announcedFingerprint }) =>
      createGatewayClient({
        host,
        port,
        pinName: serial,
        trust: { mode: 'trust-on-first-use', pins },
        announcedFingerprint,
      }),
    enrollments: client,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    probe: discoveryProbe({ port: discoveryPort, loopback: true, windowMs: 1_000 }),
  };
  const credentials: CredentialPolicy = {
    factoryDefault: { name: factoryUser, password: Secret.fromText(factoryPassword) },
  };
  return {
    job,
    ports,
    credentials,
    pins,
    discover: async (signal) => {
      const summary = await collectDevices({
        port: discoveryPort,
        loopback: true,
        interfaces: ['lo'],
        windowMs: 5_000,
        expectedCount: Math.min(site.fleet.gateways.length, maxExpected),
        eligibility,
        signal,
      });
      return inventoryFromDiscovery(summary);
    },
    plan: (inventory, changes = {}) => makePlan({ job, inventory, ports, credentials, limits, ...changes }),
    apply: (plan, changes = {}) =>
      applyPlan({ plan, journal: createMemoryJournal(), ports, credentials, limits, ...changes }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The most devices that a discovery run can be told to expect. */
const maxExpected = 4_096;

/** A journal that lives as long as the process. */
export function createMemoryJournal(earlier: readonly JournalEntry[] = []): Journal {
  return { earlier, append: async () => undefined };
}
