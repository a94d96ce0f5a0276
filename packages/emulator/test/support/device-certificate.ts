import { generateKeyPairSync } from 'node:crypto';
import { buildCertificate } from '../../src/certificate/certificate.ts';

/** A self-signed certificate of a device, valid for an hour around now. */
export function issueDeviceCertificate(commonName: string): {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
} {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = { commonName, organization: 'Test' };
  const certificatePem = buildCertificate({
    subject: name,
    issuer: name,
    subjectKey: privateKey,
    issuerKey: privateKey,
    notBefore: Date.now() - 1_800_000,
    notAfter: Date.now() + 1_800_000,
    role: { kind: 'server', names: [{ kind: 'dns', name: 'device.test' }] },
  });
  return {
    certificatePem,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
