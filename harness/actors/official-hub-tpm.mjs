/**
 * The official Node SDK for devices, unmodified, on a key in our TPM: sends one message to its hub over MQTT, then again
 * after the token was renewed, and prints how many tokens it used as a JSON line.
 *
 * Environment: ENDORSE_TPM, ENDORSE_HUB, ENDORSE_DEVICE_ID, ENDORSE_TOKEN_LIFE_MS.
 */
import { once } from 'node:events';
import { toAzureAuthenticationProvider } from '@endorse/azure-compat';
import { createHubTokenProvider, createTpmSecurityClient } from '@endorse/security-tpm';
import azureDevice from 'azure-iot-device';
import azureMqtt from 'azure-iot-device-mqtt';

const {
  ENDORSE_TPM: tpm,
  ENDORSE_HUB: hubHost,
  ENDORSE_DEVICE_ID: deviceId,
  ENDORSE_TOKEN_LIFE_MS,
} = process.env;
const { Client, Message } = azureDevice;

const securityClient = await createTpmSecurityClient({ tpm });
try {
  const tokens = createHubTokenProvider({
    securityClient,
    hubHost,
    deviceId,
    lifetimeMs: Number(ENDORSE_TOKEN_LIFE_MS),
  });
  const provider = toAzureAuthenticationProvider({ tokens, hubHost, deviceId });
  const used = new Set([(await provider.getDeviceCredentials()).sharedAccessSignature]);
  const client = Client.fromAuthenticationProvider(provider, azureMqtt.Mqtt);
  await client.open();
  await client.sendEvent(new Message('first'));
  const [renewed] = await once(provider, 'newTokenAvailable', { signal: AbortSignal.timeout(20_000) });
  used.add(renewed.sharedAccessSignature);
  await client.sendEvent(new Message('second'));
  await client.close();
  provider.stop();
  console.log(JSON.stringify({ tokens: used.size }));
} finally {
  await securityClient.close();
}
