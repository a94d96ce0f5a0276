/**
 * Type tests of the public unions: a member that is added, renamed or lost
 * changes what consumers' `switch` statements have to handle. Compiled only.
 */
import { expectTypeOf } from 'vitest';
import type {
  AccessRight,
  AllocationDecision,
  DeviceCredential,
  DeviceFeed,
  DeviceRequest,
  DeviceResponse,
  DisconnectReason,
  EmulatorEvent,
  EmulatorEventDetails,
  MethodOutcome,
  ServiceResponse,
  TwinPart,
  TwinPatchOutcome,
} from '../src/core/index.ts';
import type { Emulator, EmulatorErrorCode } from '../src/index.ts';

expectTypeOf<EmulatorErrorCode>().toEqualTypeOf<
  | 'ERR_EMULATOR_LISTEN'
  | 'ERR_EMULATOR_CA'
  | 'ERR_EMULATOR_DEVICE_NOT_FOUND'
  | 'ERR_EMULATOR_DEVICE_OFFLINE'
  | 'ERR_EMULATOR_METHOD_TIMEOUT'
  | 'ERR_EMULATOR_DATA'
  | 'ERR_EMULATOR_DATA_IN_USE'
  | 'ERR_EMULATOR_SEED'
>();
expectTypeOf<EmulatorEvent['event']>().toEqualTypeOf<
  | 'enrollment-written'
  | 'enrollment-deleted'
  | 'enrollment-group-written'
  | 'enrollment-group-deleted'
  | 'challenge-issued'
  | 'registration-started'
  | 'device-assigned'
  | 'registration-failed'
  | 'telemetry-received'
  | 'device-connected'
  | 'device-disconnected'
  | 'twin-patched'
  | 'web-hook-answered'
  | 'fault-injected'
  | 'request-refused'
>();
expectTypeOf<EmulatorEventDetails['event']>().toEqualTypeOf<EmulatorEvent['event']>();
expectTypeOf<Extract<EmulatorEventDetails, { event: 'device-assigned' }>>().not.toHaveProperty('at');
expectTypeOf<DeviceCredential['kind']>().toEqualTypeOf<'none' | 'token' | 'certificate'>();
expectTypeOf<DeviceRequest['operation']>().toEqualTypeOf<
  'request-challenge' | 'register' | 'query-operation' | 'look-up-state'
>();
expectTypeOf<DeviceResponse['outcome']>().toEqualTypeOf<'challenge' | 'operation' | 'state' | 'fault'>();
expectTypeOf<ServiceResponse['outcome']>().toEqualTypeOf<
  'enrollment' | 'enrollment-group' | 'attestation' | 'bulk' | 'page' | 'registration' | 'deleted' | 'fault'
>();
expectTypeOf<DisconnectReason>().toEqualTypeOf<
  'taken-over' | 'credential-replaced' | 'device-removed' | 'device-blocked' | 'token-expired' | 'hub-stopped'
>();
expectTypeOf<DeviceFeed>().toEqualTypeOf<'methods' | 'desired-properties'>();
expectTypeOf<TwinPart>().toEqualTypeOf<'tags' | 'desired' | 'reported'>();
expectTypeOf<MethodOutcome['outcome']>().toEqualTypeOf<'answered' | 'refused'>();
expectTypeOf<TwinPatchOutcome['outcome']>().toEqualTypeOf<'patched' | 'refused'>();
expectTypeOf<Extract<AllocationDecision, { iotHubHostName: string }>>().toHaveProperty('payload');
expectTypeOf<AccessRight>().toEqualTypeOf<
  | 'ServiceConfig'
  | 'EnrollmentRead'
  | 'EnrollmentWrite'
  | 'RegistrationStatusRead'
  | 'RegistrationStatusWrite'
>();
expectTypeOf<Emulator>().toExtend<AsyncDisposable>();
