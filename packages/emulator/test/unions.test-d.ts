/**
 * Type tests of the public unions: a member that is added, renamed or lost
 * changes what consumers' `switch` statements have to handle. Compiled only.
 */
import { expectTypeOf } from 'vitest';
import type {
  AccessRight,
  AllocationDecision,
  DeviceCredential,
  DeviceRequest,
  DeviceResponse,
  EmulatorEvent,
  EmulatorEventDetails,
  ServiceResponse,
} from '../src/core/index.ts';
import type { Emulator, EmulatorErrorCode } from '../src/index.ts';

expectTypeOf<EmulatorErrorCode>().toEqualTypeOf<'ERR_EMULATOR_LISTEN' | 'ERR_EMULATOR_CA'>();
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
  'enrollment' | 'enrollment-group' | 'attestation' | 'registration' | 'deleted' | 'fault'
>();
expectTypeOf<Extract<AllocationDecision, { iotHubHostName: string }>>().toHaveProperty('payload');
expectTypeOf<AccessRight>().toEqualTypeOf<
  | 'ServiceConfig'
  | 'EnrollmentRead'
  | 'EnrollmentWrite'
  | 'RegistrationStatusRead'
  | 'RegistrationStatusWrite'
>();
expectTypeOf<Emulator>().toExtend<AsyncDisposable>();
