/**
 * The provisioning service that a suite runs against. Suites in `suites/any-service` know it by nothing else, so the
 * same file runs on an emulator of its own and, when `ENDORSE_LIVE_*` is set, on a real service.
 */
import type { Emulator, EmulatorOptions, TpmEnrollment } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { EnrollmentClient } from '@endorse/enrollment-client';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import type { RegistrationState, Secret } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import type { IndividualEnrollment } from '@endorse/protocol';
import { createLiveId } from './live-ids.ts';
import { readLiveSettings } from './live-settings.ts';

/** Where a service is, and what opens it. */
export interface ServiceAddress {
  readonly idScope: string;
  /** `host:port` for devices. */
  readonly provisioningHost: string;
  /** PEM of the CAs to trust. */
  readonly caPem: string;
  /** Base URL for each listener. */
  readonly endpoints: Readonly<Record<'http' | 'amqp' | 'mqtt', string>>;
  readonly serviceConnectionString: Secret;
}

/** A service, and the devices one test enrolled there; disposing of it removes them. */
export interface ServiceUnderTest extends ServiceAddress, AsyncDisposable {
  /** The service API, for what the methods here do not do. */
  readonly client: EnrollmentClient;
  /** A registration id that nobody else has. */
  createRegistrationId(): string;
  /** Creates an enrollment through the service API, or replaces the one that this test created before. */
  enroll(enrollment: IndividualEnrollment): Promise<void>;
  /** The same for a TPM. */
  createTpmEnrollment(enrollment: TpmEnrollment): Promise<void>;
  /** Removes an enrollment of this test. */
  unenroll(registrationId: string): Promise<void>;
  /** What became of a device, as the service API tells it. */
  readRegistration(registrationId: string): Promise<RegistrationState>;
}

/** Opens the real service, when `ENDORSE_LIVE_*` is set, else an emulator with the options. */
export async function openService(emulatorOptions: EmulatorOptions = {}): Promise<ServiceUnderTest> {
  const live = readLiveSettings(process.env);
  return live === undefined ? openEmulator(emulatorOptions) : connectService(live);
}

/** Starts an emulator, to be known as any service is. */
export async function openEmulator(options: EmulatorOptions = {}): Promise<ServiceUnderTest> {
  const emulator: Emulator = await startEmulator(options);
  return connectService(emulator, () => emulator.stop());
}

/** Connects to a service; `release` runs when everything is removed. */
export function connectService(
  { idScope, provisioningHost, caPem, endpoints, serviceConnectionString }: ServiceAddress,
  release: () => Promise<void> = async () => undefined,
): ServiceUnderTest {
  const client = createEnrollmentClient({ connectionString: serviceConnectionString, ca: caPem });
  const enrolled = new Set<string>();
  const enroll = async (enrollment: IndividualEnrollment): Promise<void> => {
    const { registrationId } = enrollment;
    const isKnown = enrolled.has(registrationId);
    // Before the request: the service may have carried out one whose answer was lost.
    enrolled.add(registrationId);
    if (isKnown) await client.enrollments.update(enrollment, { ifMatch: '*' });
    else await client.enrollments.create(enrollment);
  };
  const unenroll = async (registrationId: string): Promise<void> => {
    await client.enrollments.delete(registrationId).catch((error: unknown) => {
      if (!isEndorseError(error) || error.code !== 'ERR_SERVICE_NOT_FOUND') throw error;
    });
    enrolled.delete(registrationId);
  };
  return {
    idScope,
    provisioningHost,
    caPem,
    endpoints,
    serviceConnectionString,
    client,
    createRegistrationId: () => createLiveId(Date.now()),
    enroll,
    unenroll,
    createTpmEnrollment: ({ endorsementKey, storageRootKey, ...enrollment }) =>
      enroll({
        ...enrollment,
        attestation: {
          type: 'tpm',
          endorsementKey: toBytes(endorsementKey),
          ...(storageRootKey === undefined ? {} : { storageRootKey: toBytes(storageRootKey) }),
        },
      }),
    readRegistration: (registrationId) => client.registrations.get(registrationId),
    [Symbol.asyncDispose]: async () => {
      await using resources = new AsyncDisposableStack();
      resources.defer(release);
      resources.use(client);
      for (const registrationId of enrolled) resources.defer(() => unenroll(registrationId));
    },
  };
}

function toBytes(key: Uint8Array | string): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key, 'base64') : key;
}
