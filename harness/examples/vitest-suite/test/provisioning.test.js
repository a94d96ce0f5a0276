/**
 * End-to-end attestation of a gateway. `npm test` starts swtpm as a process; with `ENDORSE_TPM_IMAGE` set, the same
 * tests run on that image.
 */
import { provisionDevice, startEmulator, startTpmSimulator } from '@endorse/harness';
import { expect, test } from 'vitest';

test('the gateway gets its hub', async () => {
  await using simulator = await startTpmSimulator();
  await using emulator = await startEmulator();
  await using gateway = await provisionDevice({ emulator, simulator });
  expect(gateway.result).toMatchObject({ status: 'assigned', deviceId: gateway.registrationId });
  expect((await gateway.hubTokens.getToken()).expiresAt).toBeGreaterThan(Date.now());
});

test('a gateway whose TPM was exchanged is refused', async () => {
  await using simulator = await startTpmSimulator();
  await using emulator = await startEmulator();
  const gateway = await provisionDevice({ emulator, simulator });
  await gateway.close();
  await simulator.reset();
  const impostor = provisionDevice({
    emulator,
    simulator,
    enroll: false,
    registrationId: gateway.registrationId,
  });
  await expect(impostor).rejects.toMatchObject({ code: 'ERR_SERVICE_BAD_REQUEST' });
});

test('provisioning leaves nothing loaded in the TPM', async () => {
  await using simulator = await startTpmSimulator();
  await using emulator = await startEmulator();
  const gateway = await provisionDevice({ emulator, simulator });
  await gateway.close();
  expect(await simulator.readSnapshot()).toMatchObject({
    transient: [],
    loadedSessions: [],
    savedSessions: [],
  });
});
