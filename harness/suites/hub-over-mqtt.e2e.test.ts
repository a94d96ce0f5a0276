/** A device whose hub key never leaves its TPM, connected to its hub over MQTT: tokens of the TPM open it, and nothing else does. */
import type { TwinProperties } from '@endorse/protocol';
import { createSasToken, hubDeviceResource } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { createHubTokenProvider } from '@endorse/security-tpm';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import type { HubOverMqttOptions } from '../support/hub-over-mqtt.ts';
import { connectHubOverMqtt } from '../support/hub-over-mqtt.ts';
import { startDevice } from './device-fixture.ts';

test.each(['mqtt', 'mqtt-ws'] as const)('telemetry, twin and a direct method over %s', async (carrier) => {
  await using device = await startDevice();
  const { emulator } = device;
  await using securityClient = await device.openTpm();
  const transport = createHttpTransport({ ca: emulator.caPem });
  const target = { provisioningHost: emulator.provisioningHost, idScope: emulator.idScope };
  const signal = AbortSignal.timeout(30_000);
  const { assignedHub, deviceId } = await register({ ...target, transport, securityClient, signal });

  const told: TwinProperties[] = [];
  const tokens = createHubTokenProvider({ securityClient, hubHost: assignedHub, deviceId });
  const common = { assignedHub, deviceId, caPem: emulator.caPem, carrier, signal };
  const options: HubOverMqttOptions = {
    ...common,
    credentials: { tokens },
    onMethod: (methodName, payload) => ({ ran: methodName, with: payload }),
    onDesired: (patch) => told.push(patch),
  };
  await using connected = await connectHubOverMqtt(options);
  await connected.sendTelemetry({ temperatureCelsius: 21.5 });
  expect(emulator.telemetry).toMatchObject([{ deviceId, contentType: 'application/json' }]);

  expect(await connected.patchReported({ battery: 55 })).toBe(2);
  await emulator.hub.patchDesired(deviceId, { intervalSeconds: 5 });
  await expect.poll(() => told).toEqual([{ properties: { intervalSeconds: 5 }, version: 2 }]);
  expect(await connected.readTwin()).toEqual({
    desired: { properties: { intervalSeconds: 5 }, version: 2 },
    reported: { properties: { battery: 55 }, version: 2 },
  });
  expect(
    await emulator.hub.invokeMethod(deviceId, { methodName: 'reboot', payload: { inSeconds: 3 } }),
  ).toEqual({
    status: 200,
    payload: { ran: 'reboot', with: { inSeconds: 3 } },
  });

  // Anybody can write a token; only the TPM signs one that the hub takes.
  const forged = await createSasToken({
    resource: hubDeviceResource(assignedHub, deviceId),
    expiresAt: Date.now() + 60_000,
    sign: async () => new Uint8Array(32),
  });
  const forger = { getToken: async () => ({ sasToken: forged, expiresAt: Date.now() + 60_000 }) };
  const attempt = connectHubOverMqtt({ ...common, credentials: { tokens: { ...tokens, ...forger } } });
  await expect(attempt).rejects.toMatchObject({ code: 5 });
  expect(emulator.hub.connectedDevices).toMatchObject([{ deviceId }]);

  // A new registration makes a new key, and with the old one goes the connection.
  await register({ ...target, transport, securityClient, signal });
  await expect.poll(() => emulator.hub.connectedDevices).toEqual([]);
});
