import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { TpmSecurityClientHandle, TpmSecurityClientOptions } from '@endorse/security-tpm';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSimulator, TpmSnapshot } from '@endorse/tpm-simulator';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';

/** A device with a TPM of its own, enrolled at an emulator of its own. */
export interface DeviceFixture extends AsyncDisposable {
  readonly simulator: TpmSimulator;
  readonly emulator: Emulator;
  readonly registrationId: string;
  readonly endorsementKey: Uint8Array;
  readonly storageRootKey: Uint8Array;
  /** Opens the device's TPM; at most one client at a time. */
  openTpm(options?: Partial<TpmSecurityClientOptions>): Promise<TpmSecurityClientHandle>;
  /** What the TPM holds besides its identity key, which a registration may replace. No client may be open. */
  heldBesideIdentityKey(): Promise<TpmSnapshot>;
}

const identityKeyHandles = [0x8100_0100, 0x8100_0101];

/** Starts simulator and emulator and enrolls the device. */
export async function startDevice(emulatorOptions: EmulatorOptions = {}): Promise<DeviceFixture> {
  const resources = new AsyncDisposableStack();
  try {
    const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
    const emulator = resources.use(await startEmulator({ retryAfterSeconds: 0, ...emulatorOptions }));
    const openTpm = (options: Partial<TpmSecurityClientOptions> = {}): Promise<TpmSecurityClientHandle> =>
      createTpmSecurityClient({ tpm: simulator.address, ...options });
    const client = await openTpm();
    const registrationId = await client.getRegistrationId();
    const endorsementKey = await client.getEndorsementKey();
    const storageRootKey = await client.getStorageRootKey();
    await client.close();
    await emulator.createTpmEnrollment({ registrationId, endorsementKey, storageRootKey });
    return {
      simulator,
      emulator,
      registrationId,
      endorsementKey,
      storageRootKey,
      openTpm,
      heldBesideIdentityKey: async () => {
        const snapshot = await readTpmSnapshot(simulator.address);
        const persistent = snapshot.persistent.filter((handle) => !identityKeyHandles.includes(handle));
        return { ...snapshot, persistent };
      },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

/** How many sockets this process holds: a test that leaves one behind shows here. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap' || kind === 'TLSWrap')
    .length;
}
