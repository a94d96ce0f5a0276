import { randomBytes } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';

const registrationId = 'my-device-1';

for (const byteLength of [16, 64]) {
  runSecurityClientCompliance(`symmetric key (individual, ${byteLength} bytes)`, async () => {
    const key = Uint8Array.from(randomBytes(byteLength));
    const securityClient = createSymmetricKeySecurityClient({ registrationId, key: Secret.fromBytes(key) });
    return {
      kind: 'symmetric-key',
      securityClient,
      key,
      registrationId,
      [Symbol.asyncDispose]: () => securityClient.close(),
    };
  });
}

runSecurityClientCompliance('symmetric key (group)', async () => {
  const groupKey = Uint8Array.from(randomBytes(64));
  const securityClient = createSymmetricKeySecurityClient({
    registrationId,
    groupKey: Secret.fromBytes(groupKey),
  });
  return {
    kind: 'symmetric-key',
    securityClient,
    key: deriveGroupDeviceKey(groupKey, registrationId),
    registrationId,
    [Symbol.asyncDispose]: () => securityClient.close(),
  };
});
