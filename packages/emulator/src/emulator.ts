import type { Clock, RandomSource } from '@endorse/interface';
import { Secret, silentLogger } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import { formatHostPort, formatServiceConnectionString } from '@endorse/protocol';
import type { EmulatorAdmin, StartedAdmin } from './admin/start-admin.ts';
import type { LinkedHub } from './allocation/linked-hub.ts';
import { loopbackNames } from './certificate/server-names.ts';
import type { EmulatorCore } from './core/core.ts';
import { createEmulatorCore } from './core/core.ts';
import type { EmulatorEvent } from './core/events.ts';
import type { EmulatorNames, EmulatorOptions } from './emulator-options.ts';
import { resolveOptions } from './emulator-options.ts';
import type { EmulatorServers } from './emulator-servers.ts';
import { openServers } from './emulator-servers.ts';
import type { FaultScript } from './faults/fault-script.ts';
import type { HubOperator } from './hub/hub-operator.ts';
import { createHubOperator } from './hub/hub-operator.ts';
import type { TelemetryMessage } from './hub/telemetry.ts';
import type { Stamps } from './listener/fault-answer.ts';
import { createWebHookCaller } from './listener/web-hook-caller.ts';
import { serveCarriers } from './serve-carriers.ts';
import { gatherSeeds } from './seed/gather-seeds.ts';
import { openState } from './store/emulator-state.ts';
import type {
  SymmetricKeyEnrollment,
  SymmetricKeyEnrollmentGroup,
  SymmetricKeys,
} from './service-api/symmetric-key-enrollment.ts';
import type { TpmEnrollment } from './service-api/tpm-enrollment.ts';
import type { CaCertificate, X509Enrollment, X509EnrollmentGroup } from './service-api/x509-enrollment.ts';

/** Base URLs of a running emulator. */
export interface EmulatorEndpoints {
  /** Device API, for example `https://localhost:41234`. */
  readonly http: string;
  /** Service API; on the same listener as the device API. */
  readonly service: string;
  /** The first hub. */
  readonly hub: string;
  /** Device API over AMQP, for example `amqps://localhost:41235`; the HTTPS listeners take it over WebSockets, too. */
  readonly amqp: string;
  /** Device API over MQTT, for example `mqtts://localhost:41236`; the HTTPS listeners take it, too, also over WebSockets. */
  readonly mqtt: string;
}

/** A linked hub of a running emulator. */
export interface EmulatorHub {
  readonly name: string;
  /** `host:port` under which devices reach it; what `assignedHub` carries. */
  readonly hostName: string;
  /** Its base URL. */
  readonly endpoint: string;
  /** The hub as its owner sees it. */
  readonly operator: HubOperator;
}

/** A running emulator; disposing of it stops it. */
export interface Emulator extends AsyncDisposable {
  readonly idScope: string;
  /** `host:port` for devices to provision with. */
  readonly provisioningHost: string;
  /** `host:port` of the first hub; the only one, unless `hubs` named more. */
  readonly assignedHub: string;
  /** Connection string of the service API, under the first of its policies: by default the owner's, with all rights. */
  readonly serviceConnectionString: Secret;
  /** PEM of the CA that clients have to trust. */
  readonly caPem: string;
  /** File with the same PEM; absent without `caDirectory` and `dataDirectory`. */
  readonly caFile?: string;
  readonly endpoints: EmulatorEndpoints;
  /** Where the admin API is; absent without `adminPort`. */
  readonly admin?: EmulatorAdmin;
  /** What goes wrong on purpose, to be changed at any time. */
  readonly faults: FaultScript;
  /** The last messages the hubs accepted, oldest first. */
  readonly telemetry: readonly TelemetryMessage[];
  /** The first hub as its owner sees it: twins and direct methods. */
  readonly hub: HubOperator;
  /** Every linked hub, in the order of the options. */
  readonly hubs: readonly [EmulatorHub, ...EmulatorHub[]];
  /**
   * Creates a TPM enrollment, or replaces the one with that registration id, without the service API.
   * Rejects with `ERR_INVALID_ARGUMENT`, for example for an endorsement key that is no TPM2B_PUBLIC.
   */
  createTpmEnrollment(enrollment: TpmEnrollment): Promise<void>;
  /**
   * Creates a symmetric-key enrollment, or replaces the one with that registration id, and resolves to its keys.
   * Rejects with `ERR_INVALID_ARGUMENT`, for example for a key below 16 bytes.
   */
  createSymmetricKeyEnrollment(enrollment: SymmetricKeyEnrollment): Promise<SymmetricKeys>;
  /**
   * Creates a symmetric-key enrollment group, or replaces the one with that id, and resolves to its keys.
   * Rejects with `ERR_INVALID_ARGUMENT`.
   */
  createSymmetricKeyEnrollmentGroup(group: SymmetricKeyEnrollmentGroup): Promise<SymmetricKeys>;
  /**
   * Creates an X.509 enrollment, or replaces the one with that registration id.
   * Rejects with `ERR_INVALID_ARGUMENT`, for example for a certificate that is none.
   */
  createX509Enrollment(enrollment: X509Enrollment): Promise<void>;
  /**
   * Creates an X.509 enrollment group, or replaces the one with that id.
   * Rejects with `ERR_INVALID_ARGUMENT`, for example for a certificate that is not that of a CA.
   */
  createX509EnrollmentGroup(group: X509EnrollmentGroup): Promise<void>;
  /** Keeps a CA certificate for groups to refer to by name, or replaces the one of that name. Rejects with `ERR_INVALID_ARGUMENT`. */
  uploadCaCertificate(ca: CaCertificate): Promise<void>;
  /** Everything the emulator knows but its CA, policies and telemetry, as text: JSON, a line a record, keys in clear. */
  snapshot(): Promise<Secret>;
  /**
   * Puts a snapshot in the place of everything there is, and ends every connection to a hub; host names of hubs become those
   * of the hubs of the same names here. Rejects with `ERR_INVALID_ARGUMENT`, and changes nothing, for text that is no whole
   * snapshot, or one of another ID scope or with hubs that are not linked here.
   */
  restore(snapshot: Secret | string): Promise<void>;
  /** Stops listening and drops every connection; harmless when repeated. */
  stop(): Promise<void>;
}

/**
 * Starts a provisioning service with its hubs, on loopback, with a certificate of its own making.
 *
 * Every emulator is alone with its state; any number may run in one process.
 * Rejects with `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option, `ERR_EMULATOR_LISTEN`
 * for a port that cannot be had, `ERR_EMULATOR_CA` for an unusable CA directory, `ERR_EMULATOR_DATA` for an unusable
 * data directory, `ERR_EMULATOR_DATA_IN_USE` for one that another emulator has, and `ERR_EMULATOR_SEED` for an unusable
 * seed file.
 */
export async function startEmulator(given: EmulatorOptions = {}): Promise<Emulator> {
  const seeds = await gatherSeeds(given);
  const options = seeds.addTo(given);
  const names = resolveOptions(options);
  const { random = systemRandom, clockSkewMs = 0 } = options;
  const state = openState(options, random);
  const baseClock: Pick<Clock, 'now'> & Partial<Clock> = options.clock ?? systemClock;
  const sleep: Clock['sleep'] = (delayMs, signal) =>
    baseClock.sleep === undefined ? systemClock.sleep(delayMs, signal) : baseClock.sleep(delayMs, signal);
  const ports: Ports = { clock: { now: () => baseClock.now() + clockSkewMs, sleep }, random };
  const servers = await openServers(options, names, ports, state);
  const stopping = new AbortController();
  try {
    const admin = await openAdmin(options, servers, random);
    const coreOptions = { ...options, ...state.coreOptions };
    const core = createCore(coreOptions, names, ports, servers, stopping.signal, admin);
    seeds.apply(core);
    servers.showExpiredCertificate((carrier) => core.faults.hitConnection(carrier));
    serveCarriers(core, servers, ports);
    const emulator = describe(core, names, servers, stopping, admin);
    const { provisioningHost, endpoints, caFile } = emulator;
    admin?.serve(core, { provisioningHost, endpoints, caFile, startedAt: ports.clock.now() });
    return emulator;
  } catch (error) {
    await servers.close();
    throw error;
  }
}

/** Loaded only by those who want it. */
async function openAdmin(
  { adminPort, adminToken }: EmulatorOptions,
  servers: EmulatorServers,
  random: RandomSource,
): Promise<StartedAdmin | undefined> {
  if (adminPort === undefined) return undefined;
  const { startAdmin } = await import('./admin/start-admin.ts');
  const admin = await startAdmin(adminPort, adminToken, random);
  servers.alsoClose(admin.close);
  return admin;
}

interface Ports extends Stamps {
  readonly clock: Clock;
  readonly random: RandomSource;
}

function createCore(
  options: EmulatorOptions,
  names: EmulatorNames,
  ports: Ports,
  servers: EmulatorServers,
  signal: AbortSignal,
  admin: StartedAdmin | undefined,
): EmulatorCore {
  const { logger = silentLogger, onEvent, webHookTimeoutMs: timeoutMs = 10_000 } = options;
  return createEmulatorCore({
    ...options,
    ...ports,
    hostnames: [...loopbackNames, ...names.hostnames],
    hubs: servers.hubs.map(({ linked }) => linked),
    callWebHook: createWebHookCaller({ timeoutMs, signal }),
    ...(admin === undefined ? {} : { onDeviceExchange: admin.onDeviceExchange }),
    onEvent: (event: EmulatorEvent) => {
      const { event: name, at: _at, ...fields } = event;
      logger.log(name === 'request-refused' ? 'warn' : 'info', name, fields);
      admin?.onEvent(event);
      onEvent?.(event);
    },
  });
}

function describe(
  core: EmulatorCore,
  { advertisedHost }: EmulatorNames,
  servers: EmulatorServers,
  stopping: AbortController,
  admin: StartedAdmin | undefined,
): Emulator {
  const provisioningHost = formatHostPort({ host: advertisedHost, port: servers.service.port });
  const [policy] = core.policies;
  const [first, ...others] = servers.hubs.map(({ linked }, index) => describeHub(core, linked, index));
  if (first === undefined) throw new Error('an emulator has a hub');
  const assignedHub = first.hostName;
  const stop = (): Promise<void> => {
    stopping.abort(new Error('the emulator has stopped'));
    for (const each of core.hubs) each.stop();
    return servers.close();
  };
  const serviceConnectionString = formatServiceConnectionString({
    hostName: provisioningHost,
    sharedAccessKeyName: policy.name,
    sharedAccessKey: policy.primaryKey,
  });
  return {
    idScope: core.idScope,
    provisioningHost,
    assignedHub,
    serviceConnectionString,
    ...servers.ca,
    endpoints: {
      http: `https://${provisioningHost}`,
      service: `https://${provisioningHost}`,
      hub: `https://${assignedHub}`,
      amqp: `amqps://${formatHostPort({ host: advertisedHost, port: servers.amqp.port })}`,
      mqtt: `mqtts://${formatHostPort({ host: advertisedHost, port: servers.mqtt.port })}`,
    },
    ...(admin === undefined ? {} : { admin: admin.admin }),
    faults: core.faults,
    get telemetry() {
      return core.telemetry;
    },
    hub: first.operator,
    hubs: [first, ...others],
    createTpmEnrollment: async (enrollment) => core.createTpmEnrollment(enrollment),
    createSymmetricKeyEnrollment: async (enrollment) => core.createSymmetricKeyEnrollment(enrollment),
    createSymmetricKeyEnrollmentGroup: async (group) => core.createSymmetricKeyEnrollmentGroup(group),
    createX509Enrollment: async (enrollment) => core.createX509Enrollment(enrollment),
    createX509EnrollmentGroup: async (group) => core.createX509EnrollmentGroup(group),
    snapshot: async () => Secret.fromText(core.writeSnapshot()),
    restore: async (snapshot) =>
      core.restoreSnapshot(typeof snapshot === 'string' ? snapshot : snapshot.revealText()),
    uploadCaCertificate: async (certificate) => core.uploadCaCertificate(certificate),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function describeHub({ hubs }: EmulatorCore, { name, hostName }: LinkedHub, index: number): EmulatorHub {
  const hub = hubs[index];
  if (hub === undefined) throw new Error(`there is no hub ${name}`);
  return { name, hostName, endpoint: `https://${hostName}`, operator: createHubOperator(hub) };
}
