/**
 * A controller whose loop must not stall: it samples a sensor every turn, and gets itself provisioned in between.
 * The device and the service are simulated; set TPM, DPS_HOST and ID_SCOPE to run it against real ones.
 */
import { startEmulator } from '@endorse/emulator';
import {
  ProvDeviceResult,
  ProvisioningClientLL,
  nameOfResult,
  nameOfStatus,
} from '@endorse/provisioning-client';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createHttpPump } from '@endorse/transport-http/pump';

const turnMs = 5;
const { TPM, DPS_HOST, ID_SCOPE, DIALECT = 'dps' } = process.env;
const stage = TPM === undefined ? await startStage() : undefined;
const tpm = TPM ?? stage.simulator.address;
const host = DPS_HOST ?? stage.emulator.provisioningHost;
const scope = ID_SCOPE ?? stage.emulator.idScope;

const securityClient = await createTpmSecurityClient({ tpm });
await stage?.enroll(securityClient);
const pump = createHttpPump(stage === undefined ? {} : { ca: stage.emulator.caPem });
const client = await ProvisioningClientLL.create(host, scope, pump, {
  securityClient,
  dialect: DIALECT,
  throttleMs: 100,
  onCreateError: (error) => console.error(error.message),
});

let outcome = client === null ? ProvDeviceResult.ERROR : undefined;
client?.registerDevice(
  (result, hub, deviceId) => {
    outcome = result;
    console.log(nameOfResult(result), hub, deviceId);
    if (client.lastError !== undefined) console.error(client.lastError.message);
  },
  null,
  (status) => console.log(nameOfStatus(status)),
);

let samples = 0;
let longestTurnMs = 0;
while (outcome === undefined) {
  const startedAt = performance.now();
  samples += 1; // the controller's own work
  client.doWork();
  longestTurnMs = Math.max(longestTurnMs, performance.now() - startedAt);
  await new Promise((resolve) => setTimeout(resolve, turnMs));
}
console.log(`${samples} samples taken meanwhile, the longest turn ${longestTurnMs.toFixed(1)} ms`);

client?.destroy();
await securityClient.close();
await stage?.close();
process.exitCode = outcome === ProvDeviceResult.OK ? 0 : 1;

/** A simulated TPM and an emulated service, where the device is enrolled. */
async function startStage() {
  const simulator = await startTpmSimulator();
  const emulator = await startEmulator();
  return {
    simulator,
    emulator,
    enroll: async (identity) =>
      emulator.createTpmEnrollment({
        registrationId: await identity.getRegistrationId(),
        endorsementKey: await identity.getEndorsementKey(),
        storageRootKey: await identity.getStorageRootKey(),
      }),
    close: async () => {
      await simulator.stop();
      await emulator.stop();
    },
  };
}
