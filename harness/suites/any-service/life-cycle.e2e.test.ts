/** What an operator does to a device that is out there: it comes back, it is stopped, it is let in again, it is removed. */
import { register } from '@endorse/registration-core';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { openService } from '../../support/service/service-under-test.ts';
import { startTpmDevice } from '../device-fixture.ts';

test('a device that registers again keeps its hub; one that was disabled or removed is told so', async () => {
  await using service = await openService();
  await using device = await startTpmDevice(service);
  await using securityClient = await device.openTpm();
  const { registrationId, endorsementKey } = device;
  const { provisioningHost, idScope, caPem } = service;
  const transport = createHttpTransport({ ca: caPem });
  const target = { provisioningHost, idScope, transport, securityClient, deadlineMs: 30_000 };

  const first = await register(target);
  expect(await register(target)).toMatchObject({
    status: 'assigned',
    assignedHub: first.assignedHub,
    deviceId: registrationId,
  });
  expect(await service.readRegistration(registrationId)).toMatchObject({
    status: 'assigned',
    assignedHub: first.assignedHub,
    deviceId: registrationId,
  });

  await service.createTpmEnrollment({ registrationId, endorsementKey, provisioningStatus: 'disabled' });
  await expect(register(target)).rejects.toMatchObject({ code: 'ERR_REGISTRATION_DISABLED' });
  await service.createTpmEnrollment({ registrationId, endorsementKey, provisioningStatus: 'enabled' });
  await expect(register(target)).resolves.toMatchObject({ assignedHub: first.assignedHub });

  await service.unenroll(registrationId);
  await expect(register(target)).rejects.toMatchObject({ code: 'ERR_SERVICE_NOT_FOUND' });
});
