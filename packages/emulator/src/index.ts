/**
 * A provisioning service on your own machine, with real TPM attestation: it wraps keys so that only the TPM whose
 * keys were enrolled can load them, and a small IoT hub accepts events only from devices that did.
 *
 * @example
 * ```js
 * import { startEmulator } from '@endorse/emulator';
 *
 * export async function run(endorsementKey, registerMyDevice) {
 *   const emulator = await startEmulator();
 *   try {
 *     await emulator.createTpmEnrollment({ registrationId: 'my-device', endorsementKey });
 *     await registerMyDevice({
 *       provisioningHost: emulator.provisioningHost,
 *       idScope: emulator.idScope,
 *       ca: emulator.caPem,
 *       signal: AbortSignal.timeout(10_000),
 *     });
 *     return emulator.telemetry;
 *   } finally {
 *     await emulator.stop();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { EmulatorAdmin } from './admin/start-admin.ts';
export type { Allocate, AllocationDecision, AllocationRequest } from './allocation/allocation.ts';
export type { LinkedHub } from './allocation/linked-hub.ts';
export type { CallWebHook, WebHookOutcome, WebHookRequest } from './allocation/web-hook.ts';
export type { EmulatorCoreOptions } from './core/core-options.ts';
export { defaultIdScope } from './core/core-options.ts';
export type { NonceForm } from './drs/encrypt-nonce.ts';
export type { EmulatorEvent } from './core/events.ts';
export type { ServiceFault } from './core/fault.ts';
export type { Strictness } from './core/strictness.ts';
export type { Quotas } from './core/quotas.ts';
export { serviceQuotas } from './core/quotas.ts';
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
} from './core/store.ts';
export type { EmulatorErrorCode } from './emulator-error.ts';
export { EmulatorError } from './emulator-error.ts';
export type { EmulatorOptions, HubOptions } from './emulator-options.ts';
export type { Emulator, EmulatorEndpoints, EmulatorHub } from './emulator.ts';
export { startEmulator } from './emulator.ts';
export type { ConnectedDevice } from './hub/device-connections.ts';
export type { MethodAnswer, MethodInvocation } from './hub/direct-methods.ts';
export type { HubOperator } from './hub/hub-operator.ts';
export type { DeviceTwin, HubDevice, HubStore, TwinSection } from './hub/hub-store.ts';
export type { FaultCarrier, FaultEffect, FaultRule } from './faults/fault-rule.ts';
export { faultCarriers, faultOperations } from './faults/fault-rule.ts';
export type { ActiveFault, FaultScript, FaultHit, FaultSubject } from './faults/fault-script.ts';
export type { TelemetryMessage } from './hub/telemetry.ts';
export type { EmulatorSeed } from './seed/seed.ts';
export { createSeededRandom } from './seeded-random.ts';
export { createMemoryStore } from './store/memory-store.ts';
export type { SettingsStore, SqliteStore } from './store/sqlite-store.ts';
export { openSqliteStore } from './store/sqlite-store.ts';
export type { AccessPolicy, AccessRight } from './service-api/access-policies.ts';
export { accessRights } from './service-api/access-policies.ts';
export type {
  SymmetricKeyEnrollment,
  SymmetricKeyEnrollmentGroup,
  SymmetricKeyOptions,
  SymmetricKeys,
} from './service-api/symmetric-key-enrollment.ts';
export type { TpmEnrollment } from './service-api/tpm-enrollment.ts';
export type { CaCertificate, X509Enrollment, X509EnrollmentGroup } from './service-api/x509-enrollment.ts';
