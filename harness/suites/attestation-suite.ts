import { provisionDevice, startTpmSimulator } from '@endorse/harness';
import type { SimulatorOptions, StartedTpmSimulator } from '@endorse/harness';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { describe, expect, test } from 'vitest';
import { openService } from '../support/service/service-under-test.ts';

/**
 * End-to-end attestation on one kind of simulator. The same tests run on a process and on containers, so what
 * differs between them shows, and on any service.
 */
export function attestationSuite(name: string, options: SimulatorOptions): void {
  const runtime = options.runtime ?? 'process';

  describe(`attestation on ${name}`, () => {
    test('a fresh TPM registers, and holds what it held before, besides its keys', async () => {
      await using simulator = await startTpmSimulator(options);
      await using service = await openService();
      const registrationId = service.createRegistrationId();
      const before = await simulator.readSnapshot();
      expect(simulator.runtime).toBe(runtime);
      expect(before).toMatchObject({ transient: [], loadedSessions: [], savedSessions: [], persistent: [] });

      const device = await provisionDevice({ emulator: service, simulator, registrationId });
      expect(device.result).toMatchObject({ status: 'assigned', deviceId: registrationId });
      await device.close();

      // Endorsement key, storage root key and the key of the hub.
      const after = await simulator.readSnapshot();
      expect(after.persistent).toHaveLength(3);
      expect({ ...after, persistent: [] }).toEqual(before);
    });

    test('a power cycle keeps the identity: the device registers again without being enrolled', async () => {
      await using simulator = await startTpmSimulator(options);
      await using service = await openService();
      const registrationId = service.createRegistrationId();
      const first = await provisionDevice({ emulator: service, simulator, registrationId });
      await first.close();
      await simulator.restart();
      await using second = await provisionDevice({
        emulator: service,
        simulator,
        registrationId,
        enroll: false,
      });
      expect(second.result).toMatchObject({
        deviceId: first.result.deviceId,
        assignedHub: first.result.assignedHub,
      });
    });

    test('after a reset it is another TPM at the same address, which the service refuses', async () => {
      await using simulator = await startTpmSimulator(options);
      await using service = await openService();
      const registrationId = service.createRegistrationId();
      const { address } = simulator;
      const first = await provisionDevice({ emulator: service, simulator, registrationId });
      await first.close();
      await simulator.reset();
      expect(simulator.address).toBe(address);
      expect((await simulator.readSnapshot()).persistent).toEqual([]);
      await expect(
        provisionDevice({ emulator: service, simulator, registrationId, enroll: false }),
      ).rejects.toMatchObject({ code: 'ERR_SERVICE_BAD_REQUEST', status: 400 });
    });

    test('two simulators are two devices', async () => {
      await using one = await startTpmSimulator(options);
      await using other = await startTpmSimulator(options);
      expect(await registrationIdOf(one)).not.toBe(await registrationIdOf(other));
    });

    test('stopping twice is harmless, and nothing answers afterwards', async () => {
      const simulator = await startTpmSimulator(options);
      await simulator.stop();
      await simulator.stop();
      await expect(simulator.readSnapshot()).rejects.toMatchObject({ fault: expect.any(String) });
    });
  });
}

async function registrationIdOf({ address }: StartedTpmSimulator): Promise<string> {
  const client = await createTpmSecurityClient({ tpm: address });
  try {
    return await client.getRegistrationId();
  } finally {
    await client.close();
  }
}
