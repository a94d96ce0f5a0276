/** The same from CommonJS: `require` of ES modules, which every supported Node.js has. */
const { startEmulator } = require('@endorse/emulator');
const { register } = require('@endorse/registration-core');
const { createTpmSecurityClient } = require('@endorse/security-tpm');
const { startTpmSimulator } = require('@endorse/tpm-simulator');
const { createHttpTransport } = require('@endorse/transport-http');

async function main() {
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
}

void main();
