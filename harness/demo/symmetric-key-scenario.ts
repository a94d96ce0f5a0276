/** A device with a key of its own, told step by step: an enrollment, a registration, telemetry, and a wrong key. */
import { randomBytes } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createHubTokenProvider } from '@endorse/security-tpm';
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

const keyBytes = 64;

/** Runs the whole story. Rejects when anything in it goes otherwise than told; leaves nothing running. */
export async function runSymmetricKeyScenario({ emit, carrier, signal }: ScenarioOptions): Promise<void> {
  const story = new Story(emit);
  await using resources = new AsyncDisposableStack();

  story.step('A device with a key', 'which the factory wrote into it');
  const registrationId = 'demo-key-device';
  const key = Secret.fromBytes(randomBytes(keyBytes));
  const device = resources.use(createSymmetricKeySecurityClient({ registrationId, key }));
  story.fact('device key', `${keyBytes} random bytes; it signs, and is not sent`);
  story.fact('registration id', registrationId);

  const emulator = resources.use(await startService(story));
  const scene = { story, emulator, carrier, signal };

  story.step('The operator enrolls the device', 'with the same key, through the service API');
  const secondaryKey = Secret.fromBytes(randomBytes(keyBytes));
  await enrollDevice(scene, registrationId, { type: 'symmetricKey', primaryKey: key, secondaryKey });

  story.step('The device registers', carrier.title);
  const transport = carrier.createTransport({ ca: emulator.caPem });
  await registerDevice(scene, { transport, securityClient: device });

  story.step('The device talks to its hub', 'the token is signed with the same key');
  const hub = { hubHost: emulator.assignedHub, deviceId };
  await talkToHub(scene, { tokens: createHubTokenProvider({ securityClient: device, ...hub }) });

  story.step('A wrong key', 'somebody claims to be the same device');
  const wrongKey = Secret.fromBytes(randomBytes(keyBytes));
  const stranger = resources.use(createSymmetricKeySecurityClient({ registrationId, key: wrongKey }));
  await expectRefusal(story, 'wrong-key', () =>
    register({ ...targetOf(emulator, carrier), transport, securityClient: stranger, signal }),
  );
}
