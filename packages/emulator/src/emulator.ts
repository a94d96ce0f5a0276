import type { Clock, RandomSource, Secret } from '@endorse/interface';
import { silentLogger } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import { formatHostPort, formatServiceConnectionString, maxRequestBytes } from '@endorse/protocol';
import type { ServerCredentials } from './certificate/authority.ts';
import { createAuthority, issueServerCertificate } from './certificate/authority.ts';
import { openAuthorityDirectory } from './certificate/authority-directory.ts';
import { loopbackNames, toServerNames } from './certificate/server-names.ts';
import type { EmulatorCore } from './core/core.ts';
import { createEmulatorCore } from './core/core.ts';
import type { EmulatorEvent } from './core/events.ts';
import type { EmulatorNames, EmulatorOptions } from './emulator-options.ts';
import { resolveOptions } from './emulator-options.ts';
import type { HubOperator } from './hub/hub-operator.ts';
import { createHubOperator } from './hub/hub-operator.ts';
import type { TelemetryMessage } from './hub/telemetry.ts';
import type { Stamps } from './listener/fault-answer.ts';
import type { HttpsServer } from './listener/https-server.ts';
import { startHttpsServer } from './listener/https-server.ts';
import { createHubHandler, maxEventBytes } from './listener/hub-handler.ts';
import { createServiceHandler } from './listener/service-handler.ts';
import { createStartingHandler } from './listener/starting-handler.ts';
import type { EmulatorState } from './store/emulator-state.ts';
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
  /** The hub. */
  readonly hub: string;
}

/** A running emulator; disposing of it stops it. */
export interface Emulator extends AsyncDisposable {
  readonly idScope: string;
  /** `host:port` for devices to provision with. */
  readonly provisioningHost: string;
  /** `host:port` of the hub that devices are assigned to. */
  readonly assignedHub: string;
  /** Connection string of the service API, under the first of its policies: by default the owner's, with all rights. */
  readonly serviceConnectionString: Secret;
  /** PEM of the CA that clients have to trust. */
  readonly caPem: string;
  /** File with the same PEM; absent without `caDirectory` and `dataDirectory`. */
  readonly caFile?: string;
  readonly endpoints: EmulatorEndpoints;
  /** The last messages the hub accepted, oldest first. */
  readonly telemetry: readonly TelemetryMessage[];
  /** The hub as its owner sees it: twins and direct methods. */
  readonly hub: HubOperator;
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
  /** Stops listening and drops every connection; harmless when repeated. */
  stop(): Promise<void>;
}

/**
 * Starts a provisioning service with one hub, on loopback, with a certificate of its own making.
 *
 * Every emulator is alone with its state; any number may run in one process.
 * Rejects with `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option, `ERR_EMULATOR_LISTEN`
 * for a port that cannot be had, `ERR_EMULATOR_CA` for an unusable CA directory, `ERR_EMULATOR_DATA` for an unusable
 * data directory and `ERR_EMULATOR_DATA_IN_USE` for one that another emulator has.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const names = resolveOptions(options);
  const { random = systemRandom, clockSkewMs = 0 } = options;
  const state = openState(options, random);
  const baseClock = options.clock ?? systemClock;
  const { sleep } = systemClock;
  const ports: Ports = { clock: { now: () => baseClock.now() + clockSkewMs, sleep }, random };
  const servers = await serve(options, names, ports, state);
  try {
    const core = createCore({ ...options, ...state.coreOptions }, names, ports, servers.hub.port);
    state.rememberPorts({ http: servers.service.port, hub: servers.hub.port });
    servers.service.serve(createServiceHandler(core, ports));
    for (const hub of core.hubs) servers.hub.serve(createHubHandler(core, hub, ports));
    return describe(core, names, servers);
  } catch (error) {
    await servers.close();
    throw error;
  }
}

interface Ports extends Stamps {
  readonly clock: Clock;
  readonly random: RandomSource;
}

interface Servers {
  readonly service: HttpsServer;
  readonly hub: HttpsServer;
  readonly ca: { readonly caPem: string; readonly caFile?: string };
  /** Stops listening, then lets go of what is stored; harmless when repeated. */
  readonly close: () => Promise<void>;
}

/** Opens every listener, and closes what there is when one cannot be had. */
async function serve(
  options: EmulatorOptions,
  names: EmulatorNames,
  stamps: Stamps,
  state: EmulatorState,
): Promise<Servers> {
  try {
    const { credentials, ...ca } = makeCredentials(names, options.caDirectory ?? options.dataDirectory);
    const { httpPort = state.ports['http'] ?? 0, hubPort = state.ports['hub'] ?? 0 } = options;
    const servers = await listen({ httpPort, hubPort }, names, credentials, stamps);
    let closed: Promise<void> | undefined;
    return { ...servers, ca, close: () => (closed ??= servers.close().finally(state.close)) };
  } catch (error) {
    state.close();
    throw error;
  }
}

interface Credentials {
  readonly credentials: ServerCredentials;
  readonly caPem: string;
  readonly caFile?: string;
}

function makeCredentials({ hostnames }: EmulatorNames, caDirectory: string | undefined): Credentials {
  const now = Date.now();
  const names = toServerNames(hostnames);
  if (caDirectory === undefined) {
    const authority = createAuthority(now);
    return { credentials: issueServerCertificate(authority, names, now), caPem: authority.certificatePem };
  }
  const { authority, certificateFile } = openAuthorityDirectory(caDirectory, now);
  const credentials = issueServerCertificate(authority, names, now);
  return { credentials, caPem: authority.certificatePem, caFile: certificateFile };
}

async function listen(
  { httpPort, hubPort }: { readonly httpPort: number; readonly hubPort: number },
  { bind }: EmulatorNames,
  credentials: ServerCredentials,
  stamps: Stamps,
): Promise<Omit<Servers, 'ca'>> {
  const common = { bind, credentials, handler: createStartingHandler(stamps) };
  const service = await startHttpsServer({ ...common, port: httpPort, maxBodyBytes: maxRequestBytes });
  try {
    const hub = await startHttpsServer({ ...common, port: hubPort, maxBodyBytes: maxEventBytes });
    const close = (): Promise<void> => Promise.all([service.close(), hub.close()]).then(() => undefined);
    return { service, hub, close };
  } catch (error) {
    await service.close();
    throw error;
  }
}

function createCore(
  options: EmulatorOptions,
  names: EmulatorNames,
  ports: Ports,
  hubPort: number,
): EmulatorCore {
  const { logger = silentLogger, onEvent } = options;
  return createEmulatorCore({
    ...options,
    ...ports,
    hostnames: [...loopbackNames, ...names.hostnames],
    hubHostNames: [formatHostPort({ host: names.advertisedHost, port: hubPort })],
    onEvent: (event: EmulatorEvent) => {
      const { event: name, at: _at, ...fields } = event;
      logger.log(name === 'request-refused' ? 'warn' : 'info', name, fields);
      onEvent?.(event);
    },
  });
}

function describe(core: EmulatorCore, { advertisedHost }: EmulatorNames, servers: Servers): Emulator {
  const provisioningHost = formatHostPort({ host: advertisedHost, port: servers.service.port });
  const assignedHub = formatHostPort({ host: advertisedHost, port: servers.hub.port });
  const [policy] = core.policies;
  const [hub] = core.hubs;
  if (hub === undefined) throw new Error('an emulator has a hub');
  const stop = (): Promise<void> => {
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
    },
    get telemetry() {
      return core.telemetry;
    },
    hub: createHubOperator(hub),
    createTpmEnrollment: async (enrollment) => core.createTpmEnrollment(enrollment),
    createSymmetricKeyEnrollment: async (enrollment) => core.createSymmetricKeyEnrollment(enrollment),
    createSymmetricKeyEnrollmentGroup: async (group) => core.createSymmetricKeyEnrollmentGroup(group),
    createX509Enrollment: async (enrollment) => core.createX509Enrollment(enrollment),
    createX509EnrollmentGroup: async (group) => core.createX509EnrollmentGroup(group),
    uploadCaCertificate: async (certificate) => core.uploadCaCertificate(certificate),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
