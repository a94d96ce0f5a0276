/** Whatever a device proved itself with to the service opens the hub that it was assigned to, and nothing else does. */
import type { RegistrationResult, Secret, SecurityClient } from '@endorse/interface';
import { createSasToken, hubDeviceResource } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createHubTokenProvider } from '@endorse/security-tpm';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { connectHubOverMqtt } from '../../support/hub-over-mqtt.ts';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import { openService } from '../../support/service/service-under-test.ts';
import { enrollCertificate, enrollSymmetricKey } from '../../support/service/software-devices.ts';
import { sendTelemetry } from '../../support/telemetry.ts';
import { startTpmDevice } from '../device-fixture.ts';

const deadlineMs = 30_000;
const message = { temperatureCelsius: 21.5 };

test('a key that never leaves its TPM sends telemetry, over HTTPS and MQTT', async () => {
  await using service = await openService();
  await using device = await startTpmDevice(service);
  await using securityClient = await device.openTpm();
  const { caPem } = service;
  const { assignedHub, deviceId } = await registerAt(service, securityClient);
  const tokens = createHubTokenProvider({ securityClient, hubHost: assignedHub, deviceId });
  const signal = AbortSignal.timeout(deadlineMs);
  const common = { assignedHub, deviceId, caPem, signal };
  expect(await sendTelemetry({ ...common, credentials: { tokens }, message })).toBe(204);

  await using connected = await connectHubOverMqtt({ ...common, credentials: { tokens }, carrier: 'mqtt' });
  await connected.sendTelemetry(message);
  const version = await connected.patchReported({ battery: 55 });
  expect((await connected.readTwin()).reported).toMatchObject({ properties: { battery: 55 }, version });

  const forged = await forgeToken(assignedHub, deviceId);
  const forger = { ...tokens, getToken: async () => forged };
  expect(await sendTelemetry({ ...common, credentials: { tokens: forger }, message })).toBe(401);
});

test('a symmetric key signs its own token', async () => {
  await using service = await openService();
  const registrationId = service.createRegistrationId();
  const key = await enrollSymmetricKey(service, registrationId);
  await using securityClient = createSymmetricKeySecurityClient({ registrationId, key });
  const { caPem } = service;
  const { assignedHub, deviceId } = await registerAt(service, securityClient);
  const expiresAt = Date.now() + 60_000;
  const sasToken = await createSasToken({
    resource: hubDeviceResource(assignedHub, deviceId),
    expiresAt,
    sign: (data) => securityClient.signWithIdentity(data),
  });
  const tokens = { getToken: async () => ({ sasToken, expiresAt }) };
  const signal = AbortSignal.timeout(deadlineMs);
  const credentials = { tokens };
  expect(await sendTelemetry({ assignedHub, deviceId, caPem, signal, credentials, message })).toBe(204);
});

test('a certificate needs no token', async () => {
  await using service = await openService();
  const registrationId = service.createRegistrationId();
  const certificate = await enrollCertificate(service, registrationId);
  await using securityClient = createX509SecurityClient(certificate);
  const { caPem } = service;
  const { assignedHub, deviceId } = await registerAt(service, securityClient);
  const signal = AbortSignal.timeout(deadlineMs);
  const credentials = { certificate };
  expect(await sendTelemetry({ assignedHub, deviceId, caPem, signal, credentials, message })).toBe(204);
});

function registerAt(service: ServiceUnderTest, securityClient: SecurityClient): Promise<RegistrationResult> {
  const { provisioningHost, idScope, caPem } = service;
  const transport = createHttpTransport({ ca: caPem });
  return register({ provisioningHost, idScope, transport, securityClient, deadlineMs });
}

/** Anybody can write a token; only the TPM signs one that the hub takes. */
async function forgeToken(
  assignedHub: string,
  deviceId: string,
): Promise<{ readonly sasToken: Secret; readonly expiresAt: number }> {
  const expiresAt = Date.now() + 60_000;
  const resource = hubDeviceResource(assignedHub, deviceId);
  return {
    sasToken: await createSasToken({ resource, expiresAt, sign: async () => new Uint8Array(32) }),
    expiresAt,
  };
}
