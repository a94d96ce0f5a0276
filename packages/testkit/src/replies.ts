import type { RegistrationReply, RegistrationState } from '@endorse/interface';

/** An answer that the operation is still running, asking for a pause when `retryAfterMs` is given. */
export function assigningReply(operationId: string, retryAfterMs?: number): RegistrationReply {
  return {
    operation: { operationId, status: 'assigning' },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** An answer that the device is assigned; `hubKey` is the activation blob of a TPM registration. */
export function assignedReply(
  operationId: string,
  details: {
    readonly registrationId: string;
    readonly deviceId?: string;
    readonly assignedHub?: string;
    readonly hubKey?: Uint8Array;
    readonly state?: RegistrationState;
  },
): RegistrationReply {
  return {
    operation: {
      operationId,
      status: 'assigned',
      registrationState: {
        registrationId: details.registrationId,
        status: 'assigned',
        substatus: 'initialAssignment',
        assignedHub: details.assignedHub ?? 'hub.example.test',
        deviceId: details.deviceId ?? details.registrationId,
        createdDateTimeUtc: '2024-01-01T00:00:00.0000000Z',
        lastUpdatedDateTimeUtc: '2024-01-01T00:00:00.0000000Z',
        etag: 'IjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCI=',
        ...(details.hubKey === undefined ? {} : { tpm: { authenticationKey: details.hubKey } }),
        ...details.state,
      },
    },
  };
}

/** An answer that the allocation failed, with the service's error code and words. */
export function failedReply(operationId: string, errorCode: number, errorMessage: string): RegistrationReply {
  return {
    operation: {
      operationId,
      status: 'failed',
      registrationState: { status: 'failed', errorCode, errorMessage },
    },
  };
}

/** An answer for a disabled enrollment: empty operation id, as the service sends it. */
export function disabledReply(registrationId: string): RegistrationReply {
  return {
    operation: {
      operationId: '',
      status: 'disabled',
      registrationState: { registrationId, status: 'disabled' },
    },
  };
}
