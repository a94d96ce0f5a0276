/**
 * The main job, told step by step: a TPM, a service, an enrollment, a registration, telemetry, and two attacks.
 */
import { register } from '@endorse/registration-core';
import { createHubTokenProvider, createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import type { HubCredentials } from '../support/telemetry.ts';
import { impersonate } from './impersonate.ts';
import type { ScenarioOptions } from './scene.ts';
import {
  deviceId,
  enrollDevice,
  expectRefusal,
  registerDevice,
  startService,
  talkToHub,
  targetOf,
} from './scene.ts';
import { Story } from './story.ts';
import { watchTpm } from './watch-tpm.ts';
import { tamperWithChallenges } from './tampered-transport.ts';

/** Byte 40 of an activation blob lies in the encrypted key of the credential, which an HMAC protects. */
const tamperedByteOffset = 40;

/** Runs the whole story. Rejects when anything in it goes otherwise than told; leaves nothing running. */
export async function runTpmScenario({ emit, carrier, signal }: ScenarioOptions): Promise<void> {
  const story = new Story(emit);
  await using resources = new AsyncDisposableStack();

  story.step('A device with a TPM', 'swtpm, a TPM 2.0 implementation, stands in for the chip');
  const simulator = resources.use(await startTpmSimulator({ signal }));
  story.happened('simulator started', simulator.address);
  const watch = watchTpm(emit);
  const device = resources.use(
    await createTpmSecurityClient({ tpm: simulator.address, onTrace: watch.onTrace }),
  );
  const endorsementKey = await device.getEndorsementKey({ signal });
  const storageRootKey = await device.getStorageRootKey({ signal });
  const registrationId = await device.getRegistrationId({ signal });
  story.fact(
    'endorsement key',
    `TPM2B_PUBLIC, ${endorsementKey.byteLength} bytes; its private half never leaves`,
  );
  story.fact('registration id', registrationId);

  const emulator = resources.use(await startService(story));
  const scene = { story, emulator, carrier, signal };

  story.step('The operator enrolls the device', 'with its public endorsement key, through the service API');
  await enrollDevice(scene, registrationId, { type: 'tpm', endorsementKey, storageRootKey });

  story.step('The device registers', `${carrier.title}; commands of the TPM are marked ■`);
  const transport = carrier.createTransport({ ca: emulator.caPem });
  await registerDevice(scene, { transport, securityClient: device, watch });

  story.step('The device talks to its hub', 'the token is signed inside the TPM');
  const hub = { hubHost: emulator.assignedHub, deviceId };
  const tokensOfTpm = (): HubCredentials => ({
    tokens: createHubTokenProvider({ securityClient: device, ...hub }),
  });
  await talkToHub(scene, tokensOfTpm());

  story.step('A tampered challenge', 'one bit of the wrapped key was flipped on the way');
  await expectRefusal(story, 'tampered-challenge', () =>
    register({
      ...targetOf(emulator, carrier),
      transport: tamperWithChallenges(transport, tamperedByteOffset),
      securityClient: device,
      signal,
    }),
  );
  story.fact('the device', 'still holds the key that worked before:');
  // A fresh provider: a token that was signed before would prove nothing.
  await talkToHub(scene, tokensOfTpm());

  story.step('Another TPM', 'claims to be the same device');
  const otherSimulator = resources.use(await startTpmSimulator({ signal }));
  const other = resources.use(
    await createTpmSecurityClient({ tpm: otherSimulator.address, registrationId, onTrace: watch.onTrace }),
  );
  await expectRefusal(story, 'another-tpm', () =>
    register({ ...targetOf(emulator, carrier), transport, securityClient: other, signal }),
  );
  story.fact('so it', "shows the enrolled device's public keys, which anybody may know:");
  await expectRefusal(story, 'another-tpm-with-copied-public-keys', () =>
    register({
      ...targetOf(emulator, carrier),
      transport,
      securityClient: impersonate(other, { endorsementKey, storageRootKey }),
      signal,
    }),
  );
}
