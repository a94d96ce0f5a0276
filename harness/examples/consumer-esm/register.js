/** Registers a simulated device with the emulator and prints its hub: plain JavaScript, ES modules. */
import { startEmulator } from '@endorse/emulator';
import { register } from '@endorse/registration-core';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createHttpTransport } from '@endorse/transport-http';

const simulator = await startTpmSimulator({ provisioned: true });
const emulator = await startEmulator();
const securityClient = await createTpmSecurityClient({ tpm: simulator.address });
try {
  const registrationId = await securityClient.getRegistrationId();
  const endorsementKey = await securityClient.getEndorsementKey();
  await emulator.createTpmEnrollment({ registrationId, endorsementKey });
  const { status, deviceId, assignedHub } = await register({
    provisioningHost: emulator.provisioningHost,
    idScope: emulator.idScope,
    transport: createHttpTransport({ ca: emulator.caPem }),
    securityClient,
    deadlineMs: 30_000,
  });
  console.log(JSON.stringify({ status, deviceId, assignedHub }));
} finally {
  await securityClient.close();
  await emulator.stop();
  await simulator.stop();
}
