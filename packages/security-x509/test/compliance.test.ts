import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
import { Secret } from '@endorse/interface';
import { createX509SecurityClient } from '@endorse/security-x509';
import { createTestAuthority } from '@endorse/testkit';

const authority = createTestAuthority();
const registrationId = 'my-device-1';

for (const chainPem of [undefined, authority.certificatePem]) {
  runSecurityClientCompliance(
    `X.509 (${chainPem === undefined ? 'leaf alone' : 'with its issuer'})`,
    async () => {
      const { certificatePem, privateKeyPem } = authority.issue({ commonName: registrationId });
      const securityClient = createX509SecurityClient({
        certificatePem,
        privateKeyPem: Secret.fromText(privateKeyPem),
        chainPem,
      });
      return {
        kind: 'x509',
        securityClient,
        registrationId,
        [Symbol.asyncDispose]: () => securityClient.close(),
      };
    },
  );
}
