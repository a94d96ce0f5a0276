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
  PasswordStore,
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

/** What an operator has to know of a site. */
export interface SiteAccess {
  /** Host of the provisioning service, with its port. */
  readonly provisioningHost: string;
  readonly idScope: string;
  /** `https://host:port` that gateways are told. */
  readonly globalEndpoint: string;
  readonly serviceConnectionString: Secret;
  /** CA of the service, PEM. */
  readonly caPem: string;
  readonly discoveryPort: number;
  /** How many devices are there. */
  readonly deviceCount: number;
}

/** Options of {@link createSiteOperator}. */
export interface SiteOperatorOptions {
  /** What differs from the usual job. */
  readonly job?: Partial<ProvisioningJob>;
  readonly limits?: RunLimits;
  /** Default: in memory. */
  readonly pins?: PinStore;
  /** Where passwords of single gateways are kept; default: nowhere. */
  readonly passwords?: PasswordStore;
  /** Asks every gateway whose discovery was closed, which takes a second; default true. */
  readonly probe?: boolean;
}

/** How to get at a site of this process. */
export function accessTo({ emulator, fleet, discoveryPort, globalEndpoint }: Site): SiteAccess {
  return {
    provisioningHost: emulator.provisioningHost,
    idScope: emulator.idScope,
    globalEndpoint,
    serviceConnectionString: emulator.serviceConnectionString,
    caPem: emulator.caPem,
    discoveryPort,
    deviceCount: fleet.gateways.length,
  };
}

/** Models that the operator means to provision. */
const eligibility = { models: ['AIG-*', 'UC-*'], capabilities: ['dps'] };

/** The pace of the public service would take most of the time of a run against an emulated one. */
const fastLimits: RunLimits = { concurrency: 8, cloudCallsPerMinute: 100_000, cloudBurst: 1_000 };

/** Prepares an operator who enrolls, writes back, closes SSH, console and discovery, and waits for `assigned`. */
export function createSiteOperator(site: SiteAccess, options: SiteOperatorOptions = {}): SiteOperator {
  const { discoveryPort, pins = createMemoryPins(), passwords, probe = true } = { ...site, ...options };
  const limits = { ...fastLimits, ...options.limits };
  const client: EnrollmentClient = createEnrollmentClient({
    connectionString: site.serviceConnectionString,
    ca: site.caPem,
  });
  const job: ProvisioningJob = {
    service: { endpoint: site.provisioningHost, policyName: 'provisioningserviceowner' },
    enrollment: { capabilities: { iotEdge: true } },
    writeBack: { idScope: site.idScope, globalEndpoint: site.globalEndpoint },
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
    probe: probe ? discoveryProbe({ port: discoveryPort, loopback: true, windowMs: 1_000 }) : undefined,
    passwords,
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
        expectedCount: Math.min(site.deviceCount, maxExpected),
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
