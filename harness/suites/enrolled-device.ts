import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttestationKind, SecurityClient } from '@endorse/interface';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createX509SecurityClient } from '@endorse/security-x509';
import type { ServiceUnderTest } from '../support/service/service-under-test.ts';
import { enrollCertificate, enrollSymmetricKey } from '../support/service/software-devices.ts';
import { startTpmDevice } from './device-fixture.ts';

/** A device of any attestation, in both clients' words. */
export interface EnrolledDevice {
  readonly registrationId: string;
  /** What the actor of the official client is told. */
  readonly environment: Readonly<Record<string, string>>;
  /** Opens it for ours. */
  open(): Promise<SecurityClient & AsyncDisposable>;
}

/** Enrolls a device. What it needs is released with `resources`; its files go to `directory`. */
export function enrollDevice(
  attestation: AttestationKind,
  service: ServiceUnderTest,
  resources: AsyncDisposableStack,
  directory: string,
): Promise<EnrolledDevice> {
  return enrollers[attestation](service, resources, directory);
}

type Enroller = (
  service: ServiceUnderTest,
  resources: AsyncDisposableStack,
  directory: string,
) => Promise<EnrolledDevice>;

const enrollers: Readonly<Record<AttestationKind, Enroller>> = {
  tpm: async (service, resources) => {
    const { registrationId, simulator, openTpm } = resources.use(await startTpmDevice(service));
    const environment = { ENDORSE_REGISTRATION_ID: registrationId, ENDORSE_TPM: simulator.address };
    return { registrationId, environment, open: openTpm };
  },
  'symmetric-key': async (service) => {
    const registrationId = service.createRegistrationId();
    const key = await enrollSymmetricKey(service, registrationId);
    return {
      registrationId,
      environment: {
        ENDORSE_REGISTRATION_ID: registrationId,
        ENDORSE_SYMMETRIC_KEY: Buffer.from(key.reveal()).toString('base64'),
      },
      open: async () => createSymmetricKeySecurityClient({ registrationId, key }),
    };
  },
  x509: async (service, _resources, directory) => {
    const registrationId = service.createRegistrationId();
    const { certificatePem, privateKeyPem } = await enrollCertificate(service, registrationId);
    const files = { certificate: join(directory, 'device.pem'), key: join(directory, 'device-key.pem') };
    await writeFile(files.certificate, certificatePem);
    await writeFile(files.key, privateKeyPem.reveal(), { mode: 0o600 });
    return {
      registrationId,
      environment: {
        ENDORSE_REGISTRATION_ID: registrationId,
        ENDORSE_CERTIFICATE_FILE: files.certificate,
        ENDORSE_KEY_FILE: files.key,
      },
      open: async () => createX509SecurityClient({ certificatePem, privateKeyPem }),
    };
  },
};
