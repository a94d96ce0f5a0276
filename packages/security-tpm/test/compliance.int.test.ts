import { systemRandom } from '@endorse/interface/node';
import { runSecurityClientCompliance } from '@endorse/compliance/security-client';
import { joinActivationBlob } from '@endorse/protocol';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSecurityClientOptions } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createActivation, decodeTpm2bPublic } from '@endorse/tpm2';

const variants: readonly (readonly [string, Omit<TpmSecurityClientOptions, 'tpm'>])[] = [
  ['protected sessions, alternating handles', {}],
  ['no sessions, in place', { sessions: 'none', identityKeyHandles: 'in-place' }],
  ['a given registration id', { registrationId: 'device-7' }],
];

for (const [name, options] of variants) {
  runSecurityClientCompliance(`TPM (${name})`, async () => {
    const simulator = await startTpmSimulator({ provisioned: true });
    const securityClient = await createTpmSecurityClient({ tpm: simulator.address, ...options });
    return {
      kind: 'tpm',
      securityClient,
      ...(options.registrationId === undefined ? {} : { registrationId: options.registrationId }),
      makeActivationBlob: ({ endorsementKey, storageRootKey, key }) =>
        joinActivationBlob(
          createActivation({
            endorsementKey: decodeTpm2bPublic(endorsementKey),
            storageRootKey: decodeTpm2bPublic(storageRootKey),
            key,
            random: systemRandom,
          }),
        ),
      [Symbol.asyncDispose]: async () => {
        await securityClient.close();
        await simulator.stop();
      },
    };
  });
}
