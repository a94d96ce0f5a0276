import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { TpmSecurityClientHandle, TpmSecurityClientOptions } from '@endorse/security-tpm';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSimulator, TpmSnapshot } from '@endorse/tpm-simulator';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import type { ServiceUnderTest } from '../support/service/service-under-test.ts';
import { openService } from '../support/service/service-under-test.ts';

/** What a device has to know of its service, and what enrolls it there. */
export type EnrollingService = Pick<
  ServiceUnderTest,
  'provisioningHost' | 'idScope' | 'caPem' | 'createTpmEnrollment'
>;

/** A device with a TPM of its own, enrolled at a service. */
export interface TpmDevice extends AsyncDisposable {
  readonly simulator: TpmSimulator;
  readonly service: EnrollingService;
  readonly registrationId: string;
  readonly endorsementKey: Uint8Array;
  readonly storageRootKey: Uint8Array;
  /** Opens the device's TPM; at most one client at a time. */
  openTpm(options?: Partial<TpmSecurityClientOptions>): Promise<TpmSecurityClientHandle>;
  /** What the TPM holds besides its identity key, which a registration may replace. No client may be open. */
  heldBesideIdentityKey(): Promise<TpmSnapshot>;
}

/** A device at an emulator of its own. */
export interface DeviceFixture extends TpmDevice {
  readonly emulator: Emulator;
}

const identityKeyHandles = [0x8100_0100, 0x8100_0101];

/** Starts simulator and emulator and enrolls the device. */
export async function startDevice(emulatorOptions: EmulatorOptions = {}): Promise<DeviceFixture> {
  await using starting = new AsyncDisposableStack();
  const emulator = starting.use(await startEmulator({ retryAfterSeconds: 0, ...emulatorOptions }));
  const device = starting.use(await enrollTpmDevice(emulator));
  const resources = starting.move();
  return { ...device, emulator, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Starts a simulator and enrolls it at a service, which has to be disposed of later. */
export function startTpmDevice(service: ServiceUnderTest): Promise<TpmDevice> {
  return enrollTpmDevice(service, service.createRegistrationId());
}

/** The same with a service of its own, an emulator or the real one. */
export async function startTpmDeviceAnywhere(): Promise<TpmDevice> {
  await using starting = new AsyncDisposableStack();
  const service = starting.use(await openService());
  const device = starting.use(await startTpmDevice(service));
  const resources = starting.move();
  return { ...device, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function enrollTpmDevice(service: EnrollingService, ownId?: string): Promise<TpmDevice> {
  await using starting = new AsyncDisposableStack();
  const simulator = starting.use(await startTpmSimulator({ provisioned: true }));
  const openTpm = (options: Partial<TpmSecurityClientOptions> = {}): Promise<TpmSecurityClientHandle> =>
    createTpmSecurityClient({ tpm: simulator.address, registrationId: ownId, ...options });
  const client = await openTpm();
  const registrationId = await client.getRegistrationId();
  const endorsementKey = await client.getEndorsementKey();
  const storageRootKey = await client.getStorageRootKey();
  await client.close();
  await service.createTpmEnrollment({ registrationId, endorsementKey, storageRootKey });
  const resources = starting.move();
  return {
    simulator,
    service,
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
}

/** How many sockets this process holds: a test that leaves one behind shows here. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap' || kind === 'TLSWrap')
    .length;
}
