/**
 * The emulator without sockets, files, clock or randomness of its own: the provisioning service, its
 * enrollments and its hubs as functions of a request. Carriers and memory transports stand on it.
 *
 * @example
 * ```js
 * import { systemClock, systemRandom } from '@endorse/interface/node';
 * import { createEmulatorCore } from '@endorse/emulator/core';
 *
 * const core = createEmulatorCore({ clock: systemClock, random: systemRandom });
 * const response = core.requestChallenge({ idScope: core.idScope, registrationId: 'nobody' });
 * console.log(response.fault.errorCode); // 404201
 * ```
 *
 * @packageDocumentation
 */
export type {
  ConnectedDevice,
  DesiredUpdate,
  DeviceConnection,
  DeviceFeed,
  DisconnectReason,
  MethodCall,
} from '../hub/device-connections.ts';
export type { DeviceDescription } from '../hub/device-identity.ts';
export type { DeviceSession } from '../hub/device-session.ts';
export type { MethodAnswer, MethodInvocation, MethodOutcome } from '../hub/direct-methods.ts';
export type { DeviceAnswer, FaultInjection } from '../faults/fault-injection.ts';
export type { FaultCarrier, FaultEffect, FaultRule } from '../faults/fault-rule.ts';
export { faultCarriers, faultOperations } from '../faults/fault-rule.ts';
export type { ActiveFault, FaultHit, FaultScript, FaultSubject } from '../faults/fault-script.ts';
export type { Delivery, FaultyAnswer } from '../faults/faulty-call.ts';
export type { IotHub, HubEventRequest } from '../hub/hub.ts';
export type { HubCredential } from '../hub/hub-access.ts';
export type { HubFault, HubRefusal } from '../hub/hub-fault.ts';
export type { DeviceTwin, HubDevice, HubStore, TwinSection } from '../hub/hub-store.ts';
export type { DeviceEvent, TelemetryMessage } from '../hub/telemetry.ts';
export type { TwinContent, TwinPart, TwinPatchOutcome } from '../hub/twin.ts';
export type { EmulatorSeed } from '../seed/seed.ts';
export { createSeededRandom } from '../seeded-random.ts';
export type { AccessPolicy, AccessRight } from '../service-api/access-policies.ts';
export { accessRights } from '../service-api/access-policies.ts';
export type { CollectionRequest, CollectionService } from '../service-api/collection-service.ts';
export type { QueryPage } from '../service-api/query-service.ts';
export type {
  EnrollmentGroupRequest,
  EnrollmentGroupService,
} from '../service-api/enrollment-group-service.ts';
export type {
  EnrollmentService,
  ServiceRequest,
  ServiceResponse,
} from '../service-api/enrollment-service.ts';
export type {
  SymmetricKeyEnrollment,
  SymmetricKeyEnrollmentGroup,
  SymmetricKeyOptions,
  SymmetricKeys,
} from '../service-api/symmetric-key-enrollment.ts';
export type { TpmEnrollment } from '../service-api/tpm-enrollment.ts';
export type { CaCertificate, X509Enrollment, X509EnrollmentGroup } from '../service-api/x509-enrollment.ts';
export type { Allocate, AllocationDecision, AllocationRequest } from '../allocation/allocation.ts';
export type { LinkedHub } from '../allocation/linked-hub.ts';
export type { CallWebHook, WebHookOutcome, WebHookRequest } from '../allocation/web-hook.ts';
export type { EmulatorCore } from './core.ts';
export { createEmulatorCore } from './core.ts';
export type { EmulatorCoreOptions } from './core-options.ts';
export { defaultIdScope } from './core-options.ts';
export type {
  AdmissionResponse,
  ChallengeRequest,
  ChallengeResponse,
  DeviceCredential,
  DeviceIdentity,
  DeviceRequest,
  DeviceResponse,
  DeviceService,
  OperationQuery,
  OperationResponse,
  RegisterRequest,
  StateQuery,
  StateResponse,
} from './device-requests.ts';
export type { DeviceMemory, IssuedChallenge, RememberedAssignment } from './device-memory.ts';
export type { DeviceProof, EnrolledDevice } from './enrolled-device.ts';
export type { EmulatorEvent, EmulatorEventDetails } from './events.ts';
export type { DeviceExchange } from '../faults/fault-injection.ts';
export type { ServiceFault } from './fault.ts';
export type { Strictness } from './strictness.ts';
export type { Quotas } from './quotas.ts';
export { serviceQuotas } from './quotas.ts';
export type { Operation, RunningOperation, SettledOperation } from './operation.ts';
export type { FaultResponse } from './refusal.ts';
export type {
  CaCertificateRecord,
  EmulatorStore,
  EnrollmentGroupRecord,
  EnrollmentRecord,
  GroupedRecordStore,
  ListedRecord,
  ListedRecordStore,
  RecordStore,
  RegistrationRecord,
} from './store.ts';
export type {
  DrsChallengeResponse,
  DrsConfirmationRequest,
  DrsOperationResponse,
  DrsProgressRequest,
  DrsProgressResponse,
  DrsRegistration,
  DrsService,
} from '../drs/drs-requests.ts';
export type { NonceForm } from '../drs/encrypt-nonce.ts';
