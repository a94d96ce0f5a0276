import type { OperationStatusRequest, RegistrationTarget } from '@endorse/interface';

/** A target nobody listens on. */
export const target: RegistrationTarget = {
  provisioningHost: 'dps.example.test',
  idScope: '0ne00000001',
  registrationId: 'device-1',
};

/** The smallest request of a session. */
export const queryRequest: OperationStatusRequest = { registrationId: 'device-1', operationId: '5.op' };
