import type { Clock, RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { validateIdScope } from '@endorse/protocol';
import type { IotHub } from '../hub/hub.ts';
import { createHub } from '../hub/hub.ts';
import type { TelemetryMessage } from '../hub/telemetry.ts';
import { createTelemetryLog } from '../hub/telemetry.ts';
import type { AccessPolicy } from '../service-api/access-policies.ts';
import { createAccessCheck, createOwnerPolicy } from '../service-api/access-policies.ts';
import type { EnrollmentService } from '../service-api/enrollment-service.ts';
import { createEnrollmentService } from '../service-api/enrollment-service.ts';
import type { TpmEnrollment } from '../service-api/tpm-enrollment.ts';
import { toIndividualEnrollment } from '../service-api/tpm-enrollment.ts';
import type { Allocate } from './allocation.ts';
import { allocateFirstHub } from './allocation.ts';
import { DeviceMemories } from './device-memory.ts';
import type { DeviceRequest, DeviceResponse, DeviceService } from './device-requests.ts';
import { createDeviceService } from './device-service.ts';
import type { EmulatorEvent, EmulatorEventDetails } from './events.ts';
import type { EmulatorStore } from './store.ts';
import { createMemoryStore } from './store.ts';

/** Options of {@link createEmulatorCore}. */
export interface EmulatorCoreOptions {
  /** The service's time; a virtual clock makes expiry and skew testable. */
  readonly clock: Pick<Clock, 'now'>;
  /** Source of every key, seed and id; a seeded one makes blobs and ids repeatable. */
  readonly random: RandomSource;
  /** ID scope, 1 to 64 letters and digits; default `0ne00000000`. */
  readonly idScope?: string;
  /** Host names, with ports, of the linked hubs; default one, `hub.endorse.test`. */
  readonly hubHostNames?: readonly string[];
  /** Host names, without ports, under which service and hubs may be addressed in tokens; default the loopback ones. */
  readonly hostnames?: readonly string[];
  /** Shared access policies of the service API; default `provisioningserviceowner` with fresh keys. At least one. */
  readonly policies?: readonly AccessPolicy[];
  /** Pause asked for while an operation runs, in seconds, 0 to 3600; default 0. The real service says 3. */
  readonly retryAfterSeconds?: number;
  /** How long an operation stays `assigning`, in milliseconds; default 0: the first poll finds it decided. */
  readonly assigningDurationMs?: number;
  /** Decides where devices go; default the first linked hub that the enrollment allows. */
  readonly allocate?: Allocate;
  /** Where enrollments and registrations are kept; default in memory. */
  readonly store?: EmulatorStore;
  /** How many telemetry messages are kept, 1 to 100,000; default 1000, and never more than 16 MiB. */
  readonly maxTelemetryMessages?: number;
  /** Receives every {@link EmulatorEvent}. What it throws is ignored. */
  readonly onEvent?: (event: EmulatorEvent) => void;
}

/** A provisioning service with its hubs, without sockets, files, clock or randomness of its own. */
export interface EmulatorCore extends DeviceService {
  readonly idScope: string;
  /** The linked hubs, in the order given. */
  readonly hubs: readonly IotHub[];
  /** The shared access policies of the service API; the first one goes into connection strings. */
  readonly policies: readonly AccessPolicy[];
  /** The service API. */
  readonly enrollments: EnrollmentService;
  /** The last telemetry messages of all hubs, oldest first. */
  readonly telemetry: readonly TelemetryMessage[];
  /** Answers any request of the device API; the same operations as the methods, for carriers that decide by what arrives. */
  handleDeviceRequest(request: DeviceRequest): DeviceResponse;
  /** Creates a TPM enrollment, or replaces the one with that registration id. Throws `ERR_INVALID_ARGUMENT`. */
  createTpmEnrollment(enrollment: TpmEnrollment): void;
  /** Reports an event of a carrier, such as a request that could not be read. */
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** The ID scope of an emulator that was not given one. */
export const defaultIdScope = '0ne00000000';

/** Makes an emulator without sockets. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an unusable option. */
export function createEmulatorCore(options: EmulatorCoreOptions): EmulatorCore {
  const { clock, random, hostnames = ['localhost', '127.0.0.1', '::1'] } = options;
  const idScope = validateIdScope(options.idScope ?? defaultIdScope, 'options.idScope');
  const policies = options.policies ?? [createOwnerPolicy(random)];
  if (policies.length === 0)
    throw new InvalidArgumentError('options.policies', 'must hold at least one policy');
  const telemetry = createTelemetryLog(
    checkNumber('maxTelemetryMessages', options.maxTelemetryMessages ?? 1000, 1, 100_000),
  );
  const emit = (event: EmulatorEventDetails): void => {
    try {
      options.onEvent?.({ at: clock.now(), ...event });
    } catch {
      // A listener that fails must not decide over a device's registration.
    }
  };
  const hubHostNames = options.hubHostNames ?? ['hub.endorse.test'];
  const hubs = hubHostNames.map((hostName) =>
    createHub({ hostName, acceptedHosts: hostnames, clock, telemetry, emit }),
  );
  const parts = {
    idScope,
    store: options.store ?? createMemoryStore(),
    memories: new DeviceMemories(),
    hubs,
    allocate: options.allocate ?? allocateFirstHub,
    clock,
    random,
    emit,
    retryAfterSeconds: checkNumber('retryAfterSeconds', options.retryAfterSeconds ?? 0, 0, 3600),
    assigningDurationMs: checkNumber('assigningDurationMs', options.assigningDurationMs ?? 0, 0, 86_400_000),
    checkAccess: createAccessCheck(policies, hostnames),
  };
  const device = createDeviceService(parts);
  const enrollments = createEnrollmentService(parts);

  return {
    ...device,
    idScope,
    hubs,
    policies,
    enrollments,
    get telemetry() {
      return telemetry.messages;
    },
    handleDeviceRequest: (request) => dispatch(device, request),
    createTpmEnrollment: (enrollment) => {
      const existing = parts.store.enrollments.get(enrollment.registrationId);
      const response = enrollments.write(toIndividualEnrollment(enrollment), existing?.etag);
      if (response.outcome !== 'fault') return;
      const { message, reason } = response.fault;
      throw new InvalidArgumentError(
        'enrollment',
        `is refused: ${message}${reason === undefined ? '' : ` (${reason})`}`,
      );
    },
    emit,
  };
}

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

function checkNumber(name: string, value: number, minimum: number, maximum: number): number {
  if (Number.isFinite(value) && value >= minimum && value <= maximum) return value;
  throw new InvalidArgumentError(`options.${name}`, `must be ${minimum} to ${maximum}`, 'ERR_OUT_OF_RANGE');
}
