/** A device with a certificate, told step by step: an enrollment, a registration, telemetry, and a wrong key. */
import { register } from '@endorse/registration-core';
import type { X509SecurityClientHandle } from '@endorse/security-x509';
import { createX509SecurityClient } from '@endorse/security-x509';
import type { TestAuthority } from '@endorse/testkit';
import { createTestAuthority } from '@endorse/testkit';
import type { ScenarioOptions } from './scene.ts';
import { enrollDevice, expectRefusal, registerDevice, startService, talkToHub, targetOf } from './scene.ts';
import { Story } from './story.ts';

const registrationId = 'demo-certificate-device';

/** Runs the whole story. Rejects when anything in it goes otherwise than told; leaves nothing running. */
export async function runX509Scenario({ emit, carrier, signal }: ScenarioOptions): Promise<void> {
  const story = new Story(emit);
  await using resources = new AsyncDisposableStack();

  story.step('A device with a certificate', 'which the authority of its maker signed');
  const authority = createTestAuthority();
  const device = resources.use(openDevice(authority));
  const certificate = await device.getCertificate({ signal });
  story.fact('private key', 'P-256; it opens TLS connections, and is not sent');
  story.fact('registration id', `${await device.getRegistrationId({ signal })}, the common name`);

  const emulator = resources.use(await startService(story));
  const scene = { story, emulator, carrier, signal };

  story.step('The operator enrolls the device', 'with its certificate, through the service API');
  await enrollDevice(scene, registrationId, {
    type: 'x509',
    clientCertificates: { primary: { certificate: certificate.certificatePem } },
  });

  story.step('The device registers', `${carrier.title}, with its certificate`);
  const transport = carrier.createTransport({ ca: emulator.caPem });
  await registerDevice(scene, { transport, securityClient: device });

  story.step('The device talks to its hub', 'with the same certificate, without a token');
  await talkToHub(scene, { certificate });

  story.step('A wrong key', 'in another certificate that the same authority gave the same name');
  const stranger = resources.use(openDevice(authority));
  await expectRefusal(story, 'wrong-key', () =>
    register({ ...targetOf(emulator, carrier), transport, securityClient: stranger, signal }),
  );
}

/** A certificate of the device's name, with a key that nobody else has. */
function openDevice(authority: TestAuthority): X509SecurityClientHandle {
  return createX509SecurityClient(authority.issue({ commonName: registrationId }));
}
