import { InvalidArgumentError } from '@endorse/interface';
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
import { allocateFirstHub } from './allocation.ts';
import type { EmulatorCoreOptions } from './core-options.ts';
import { checkCoreOptions, defaultIdScope } from './core-options.ts';
import { DeviceMemories } from './device-memory.ts';
import type { DeviceRequest, DeviceResponse, DeviceService } from './device-requests.ts';
import { createDeviceService } from './device-service.ts';
import type { EmulatorEventDetails } from './events.ts';
import { createMemoryStore } from './store.ts';

/** A provisioning service with its hubs, without sockets, files, clock or randomness of its own. */
export interface EmulatorCore extends DeviceService {
  readonly idScope: string;
  /** The linked hubs, in the order given. */
  readonly hubs: readonly IotHub[];
  /** The shared access policies of the service API, at least one; the first goes into connection strings. */
  readonly policies: readonly [AccessPolicy, ...AccessPolicy[]];
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

/** Makes an emulator without sockets. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an unusable option. */
export function createEmulatorCore(options: EmulatorCoreOptions): EmulatorCore {
  checkCoreOptions(options);
  const { clock, random, idScope = defaultIdScope, hostnames = ['localhost', '127.0.0.1', '::1'] } = options;
  const [firstPolicy = createOwnerPolicy(random), ...otherPolicies] = options.policies ?? [];
  const policies = [firstPolicy, ...otherPolicies] as const;
  const telemetry = createTelemetryLog(options.maxTelemetryMessages ?? 1000);
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
    retryAfterSeconds: options.retryAfterSeconds ?? 0,
    assigningDurationMs: options.assigningDurationMs ?? 0,
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
      const wanted = toIndividualEnrollment(enrollment);
      const response = enrollments.write(wanted, parts.store.enrollments.get(wanted.registrationId)?.etag);
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
