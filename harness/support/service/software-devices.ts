/** Enrolls devices that are software: their secrets are made here, so that no answer of the service is relied on. */
import { randomBytes } from 'node:crypto';
import type { ClientCertificate } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { createTestAuthority } from '@endorse/testkit';
import type { ServiceUnderTest } from './service-under-test.ts';

/** Enrolls a device by symmetric keys; resolves to its primary key. */
export async function enrollSymmetricKey(service: ServiceUnderTest, registrationId: string): Promise<Secret> {
  const primaryKey = Secret.fromBytes(randomBytes(64));
  const secondaryKey = Secret.fromBytes(randomBytes(64));
  await service.enroll({ registrationId, attestation: { type: 'symmetricKey', primaryKey, secondaryKey } });
  return primaryKey;
}

/** Enrolls a device by a certificate of its own. */
export async function enrollCertificate(
  service: ServiceUnderTest,
  registrationId: string,
): Promise<ClientCertificate> {
  const { certificatePem, privateKeyPem } = createTestAuthority().issue({ commonName: registrationId });
  const clientCertificates = { primary: { certificate: certificatePem } };
  await service.enroll({ registrationId, attestation: { type: 'x509', clientCertificates } });
  return { certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) };
}
