import { InvalidArgumentError } from '@endorse/interface';
import type { AttestationMechanism, EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';
import type { FaultInjection } from '../faults/fault-injection.ts';
import { createFaultInjection, createSkewableClock } from '../faults/fault-injection.ts';
import type { FaultScript } from '../faults/fault-script.ts';
import { createFaultScript } from '../faults/fault-script.ts';
import type { IotHub } from '../hub/hub.ts';
import { createHub } from '../hub/hub.ts';
import type { TelemetryMessage } from '../hub/telemetry.ts';
import { createTelemetryLog } from '../hub/telemetry.ts';
import type { AccessPolicy } from '../service-api/access-policies.ts';
import { createAccessCheck, createOwnerPolicy } from '../service-api/access-policies.ts';
import type { CollectionService } from '../service-api/collection-service.ts';
import { createCollectionService } from '../service-api/collection-service.ts';
import type { EnrollmentGroupService } from '../service-api/enrollment-group-service.ts';
import { createEnrollmentGroupService } from '../service-api/enrollment-group-service.ts';
import type { EnrollmentService, ServiceResponse } from '../service-api/enrollment-service.ts';
import { createEnrollmentService } from '../service-api/enrollment-service.ts';
import type {
  SymmetricKeyEnrollment,
  SymmetricKeyEnrollmentGroup,
  SymmetricKeys,
} from '../service-api/symmetric-key-enrollment.ts';
import { toSymmetricKeyEnrollment, toSymmetricKeyGroup } from '../service-api/symmetric-key-enrollment.ts';
import type { TpmEnrollment } from '../service-api/tpm-enrollment.ts';
import { toIndividualEnrollment } from '../service-api/tpm-enrollment.ts';
import type { CaCertificate, X509Enrollment, X509EnrollmentGroup } from '../service-api/x509-enrollment.ts';
import { toCaCertificateRecord, toX509Enrollment, toX509Group } from '../service-api/x509-enrollment.ts';
import { applySeed } from '../seed/apply-seed.ts';
import type { EmulatorSeed } from '../seed/seed.ts';
import { restoreSnapshot, writeSnapshot } from '../store/snapshot.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { EmulatorStore } from './store.ts';
import type { LinkedHub } from '../allocation/linked-hub.ts';
import { createWebHookCalls } from '../allocation/web-hook-calls.ts';
import type { DrsService } from '../drs/drs-requests.ts';
import { createDrsService } from '../drs/drs-service.ts';
import type { EmulatorCoreOptions } from './core-options.ts';
import { checkCoreOptions, defaultIdScope } from './core-options.ts';
import { createCountLimits } from './count-limits.ts';
import type { DeviceRequest, DeviceResponse, DeviceService } from './device-requests.ts';
import { createDeviceService } from './device-service.ts';
import type { EmulatorEventDetails } from './events.ts';
import { createQuotaKeeper } from './quotas.ts';
import { isFault, refuse } from './refusal.ts';
import { createRequestSteps } from './request-steps.ts';
import type { Strictness } from './strictness.ts';
import { createUnitOfWork } from './unit-of-work.ts';

/** A provisioning service with its hubs, without sockets, files, clock or randomness of its own. */
export interface EmulatorCore extends DeviceService, FaultInjection {
  readonly idScope: string;
  /** The linked hubs, in the order given. */
  readonly hubs: readonly IotHub[];
  /** The shared access policies of the service API, at least one; the first goes into connection strings. */
  readonly policies: readonly [AccessPolicy, ...AccessPolicy[]];
  /** The service API for individual enrollments and registration records. */
  readonly enrollments: EnrollmentService;
  /** The service API for enrollment groups. */
  readonly enrollmentGroups: EnrollmentGroupService;
  /** The service API for many records at once: bulk operations and queries. */
  readonly collections: CollectionService;
  /** What is kept; whoever reads it sees whole steps only, and writes through the services. */
  readonly store: EmulatorStore;
  /** The last telemetry messages of all hubs, oldest first. */
  readonly telemetry: readonly TelemetryMessage[];
  /** Answers any request of the device API; the same operations as the methods, for carriers that decide by what arrives. */
  handleDeviceRequest(request: DeviceRequest): DeviceResponse;
  readonly strictness: Strictness;
  /** The `/drs/` dialect of the device API. */
  readonly drs: DrsService;
  /** What goes wrong on purpose. `handleDeviceRequest` and the methods it stands for know nothing of it. */
  readonly faults: FaultScript;
  /** Creates a TPM enrollment, or replaces the one with that registration id. Throws `ERR_INVALID_ARGUMENT`. */
  createTpmEnrollment(enrollment: TpmEnrollment): void;
  /** Creates a symmetric-key enrollment, or replaces the one with that registration id. Returns its keys. Throws `ERR_INVALID_ARGUMENT`. */
  createSymmetricKeyEnrollment(enrollment: SymmetricKeyEnrollment): SymmetricKeys;
  /** Creates a symmetric-key group, or replaces the one with that id. Returns its keys. Throws `ERR_INVALID_ARGUMENT`. */
  createSymmetricKeyEnrollmentGroup(group: SymmetricKeyEnrollmentGroup): SymmetricKeys;
  /** Creates an X.509 enrollment, or replaces the one with that registration id. Throws `ERR_INVALID_ARGUMENT`. */
  createX509Enrollment(enrollment: X509Enrollment): void;
  /** Creates an X.509 group, or replaces the one with that id. Throws `ERR_INVALID_ARGUMENT`. */
  createX509EnrollmentGroup(group: X509EnrollmentGroup): void;
  /** Keeps a CA certificate for groups to refer to, or replaces the one of that name. Throws `ERR_INVALID_ARGUMENT`. */
  uploadCaCertificate(ca: CaCertificate): void;
  /** Writes what a seed holds and is not there yet; hubs and faults in it are for whoever starts the emulator. Throws `ERR_INVALID_ARGUMENT` that names the member. */
  applySeed(seed: EmulatorSeed): void;
  /** Everything the store holds, as text with keys in clear. */
  writeSnapshot(): string;
  /** Puts a snapshot in the place of everything the store holds, and ends every connection to a hub. Throws `ERR_INVALID_ARGUMENT`. */
  restoreSnapshot(text: string): void;
  /** Reports an event of a carrier, such as a request that could not be read. */
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Makes an emulator without sockets. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an unusable option. */
export function createEmulatorCore(options: EmulatorCoreOptions): EmulatorCore {
  checkCoreOptions(options);
  const { random, idScope = defaultIdScope, hostnames = ['localhost', '127.0.0.1', '::1'] } = options;
  const clock = createSkewableClock(options.clock);
  const [firstPolicy = createOwnerPolicy(random), ...otherPolicies] = options.policies ?? [];
  const policies = [firstPolicy, ...otherPolicies] as const;
  const telemetry = createTelemetryLog(options.maxTelemetryMessages ?? 1000);
  const store = options.store ?? createMemoryStore();
  const { atomically, emit } = createUnitOfWork(store, clock, options.onEvent);
  const linkedHubs = options.hubs ?? [defaultHub];
  const hubs = linkedHubs.map(({ name, hostName }) =>
    createHub({ hostName, acceptedHosts: hostnames, store: store.hub(name), clock, telemetry, emit }),
  );
  const quotas = options.quotas ?? {};
  const countLimits = createCountLimits(quotas, store);
  const parts = {
    idScope,
    store,
    countLimits,
    hubs,
    linkedHubs,
    allocate: options.allocate,
    webHooks: createWebHookCalls({ store, linkedHubs, call: options.callWebHook, atomically, emit }),
    allocationPolicy: options.allocationPolicy ?? 'hashed',
    strictness: options.strictness ?? 'loose',
    clock,
    random,
    emit,
    retryAfterSeconds: options.retryAfterSeconds ?? 0,
    assigningDurationMs: options.assigningDurationMs ?? 0,
    checkAccess: createAccessCheck(policies, hostnames),
  };
  const steps = createRequestSteps({ atomically, emit }, createQuotaKeeper(quotas, clock));
  const device = steps.device(createDeviceService(parts));
  const enrollments = steps.enrollments(createEnrollmentService(parts));
  const enrollmentGroups = steps.enrollments(createEnrollmentGroupService(parts));
  const collections = steps.collections(createCollectionService({ ...parts, enrollments, enrollmentGroups }));
  const drs = createDrsService({ ...parts, atomically, nonceForm: options.drsNonceForm ?? 'encrypted-data' });
  const handleDeviceRequest = (request: DeviceRequest): DeviceResponse => dispatch(device, request);
  const faults = createFaultScript(options.faults ?? [], random);
  const { retryAfterSeconds } = parts;

  return {
    ...device,
    idScope,
    hubs,
    policies,
    enrollments,
    enrollmentGroups,
    collections,
    get telemetry() {
      return telemetry.messages;
    },
    handleDeviceRequest,
    drs,
    faults,
    strictness: parts.strictness,
    ...createFaultInjection({
      script: faults,
      clock,
      handleDeviceRequest,
      emit,
      retryAfterSeconds,
      onDeviceExchange: options.onDeviceExchange,
    }),
    store,
    createTpmEnrollment: (enrollment) => void writeEnrollment(toIndividualEnrollment(enrollment)),
    createSymmetricKeyEnrollment: (enrollment) =>
      keysOf(writeEnrollment(toSymmetricKeyEnrollment(enrollment)).attestation),
    createSymmetricKeyEnrollmentGroup: (group) => keysOf(writeGroup(toSymmetricKeyGroup(group)).attestation),
    createX509Enrollment: (enrollment) => void writeEnrollment(toX509Enrollment(enrollment)),
    createX509EnrollmentGroup: (group) => void writeGroup(toX509Group(group)),
    uploadCaCertificate,
    applySeed: (seed) =>
      atomically(() => applySeed({ store, enrollments, enrollmentGroups, uploadCaCertificate }, seed)),
    writeSnapshot: () => `${[...writeSnapshot(store, { idScope, hubs: linkedHubs })].join('\n')}\n`,
    restoreSnapshot: (text) => {
      restoreSnapshot(store, { idScope, hubs: linkedHubs }, text.split('\n'));
      for (const hub of hubs) hub.dropConnections();
    },
    emit,
  };

  function uploadCaCertificate(ca: CaCertificate): void {
    const record = toCaCertificateRecord(ca);
    atomically(() => {
      const fault = countLimits.findCaCertificateFault(record.name);
      if (fault !== undefined) throw unusable('ca', refuse(fault));
      store.caCertificates.set(record.name, record);
    });
  }

  function writeEnrollment(wanted: IndividualEnrollment): IndividualEnrollment {
    const response = enrollments.write(wanted, store.enrollments.get(wanted.registrationId)?.etag);
    if (response.outcome !== 'enrollment') throw unusable('enrollment', response);
    return response.enrollment;
  }

  function writeGroup(wanted: EnrollmentGroup): EnrollmentGroup {
    const response = enrollmentGroups.write(
      wanted,
      store.enrollmentGroups.get(wanted.enrollmentGroupId)?.etag,
    );
    if (response.outcome !== 'enrollment-group') throw unusable('group', response);
    return response.group;
  }
}

function keysOf(attestation: AttestationMechanism): SymmetricKeys {
  const { primaryKey, secondaryKey } = attestation.type === 'symmetricKey' ? attestation : {};
  if (primaryKey === undefined || secondaryKey === undefined) throw new Error('an enrollment lost its keys');
  return { primaryKey, secondaryKey };
}

function unusable(argument: string, response: ServiceResponse): InvalidArgumentError {
  const { message = 'the answer makes no sense', reason } = isFault(response) ? response.fault : {};
  return new InvalidArgumentError(
    argument,
    `is refused: ${message}${reason === undefined ? '' : ` (${reason})`}`,
  );
}

const defaultHub: LinkedHub = Object.freeze({ name: 'hub', hostName: 'hub.endorse.test' });

function dispatch(device: DeviceService, request: DeviceRequest): DeviceResponse {
  switch (request.operation) {
    case 'request-challenge':
      return device.requestChallenge(request);
    case 'register':
      return device.register(request);
    case 'query-operation':
      return device.queryOperation(request);
    case 'look-up-state':
      return device.lookUpState(request);
    default:
      return request satisfies never;
  }
}
