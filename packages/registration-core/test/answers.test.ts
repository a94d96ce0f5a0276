import { assignedReply, disabledReply, failedReply } from '@endorse/testkit';
import { describe, expect, it } from 'vitest';
import { runScript } from './support/run-script.ts';
import { challenge, hubKey, operationId, registerWith } from './support/scripts.ts';

describe('an answer that ends the registration', () => {
  it('failed: a typed error with the service code and the state', async () => {
    const { outcome } = await runScript([
      challenge,
      registerWith(failedReply(operationId, 400_207, 'the webhook said no')),
    ]);
    expect(outcome).toMatchObject({
      reason: {
        name: 'RegistrationFailedError',
        code: 'ERR_REGISTRATION_FAILED',
        fault: 'service',
        retryable: false,
        serviceCode: 400_207,
        registrationId: 'tpm-device-1',
        operationId,
        registrationState: { errorMessage: 'the webhook said no' },
        remedy: 'Look the service code up and check the enrollment.',
      },
    });
  });

  it('disabled: a typed error that says how to mend it', async () => {
    const { outcome } = await runScript([challenge, registerWith(disabledReply('tpm-device-1'))]);
    expect(outcome).toMatchObject({
      reason: {
        code: 'ERR_REGISTRATION_DISABLED',
        remedy: 'Enable the enrollment in the provisioning service.',
      },
    });
  });

  it('unassigned without an operation: a typed error', async () => {
    const { outcome } = await runScript([
      challenge,
      registerWith({ operation: { operationId: '', status: 'unassigned' } }),
    ]);
    expect(outcome).toMatchObject({ reason: { code: 'ERR_REGISTRATION_UNASSIGNED' } });
  });

  it.each([
    ['an operation id', { operationId: '', status: 'assigning' }, '$.operationId'],
    [
      'a hub',
      { operationId, status: 'assigned', registrationState: { deviceId: 'd' } },
      '$.registrationState.assignedHub',
    ],
    [
      'a device id',
      { operationId, status: 'assigned', registrationState: { assignedHub: 'h' } },
      '$.registrationState.deviceId',
    ],
    [
      'the hub key',
      { operationId, status: 'assigned', registrationState: { assignedHub: 'h', deviceId: 'd' } },
      '$.registrationState.tpm.authenticationKey',
    ],
  ] as const)('without %s: the error of the peer', async (_what, operation, path) => {
    const { outcome } = await runScript([challenge, registerWith({ operation })]);
    expect(outcome).toMatchObject({
      reason: { code: 'ERR_REMOTE_UNEXPECTED', fault: 'peer', evidence: { path } },
    });
  });

  it('in the first answer needs no poll', async () => {
    const { outcome, securityClient } = await runScript([
      challenge,
      registerWith(assignedReply(operationId, { registrationId: 'tpm-device-1', hubKey })),
    ]);
    expect(outcome.status).toBe('fulfilled');
    expect(securityClient.identityKey).toEqual(hubKey);
  });
});
