/**
 * The main job, told step by step: a TPM, a service, an enrollment, a registration, telemetry, and two attacks.
 */
import { startEmulator } from '@endorse/emulator';
import type { Emulator } from '@endorse/emulator';
import type { Transport } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createHubTokenProvider, createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSecurityClientHandle } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createHttpTransport } from '@endorse/transport-http';
import { createEnrollment } from '../src/operator.ts';
import { sendTelemetry } from '../src/telemetry.ts';
import type { DemoSink } from './events.ts';
import { impersonate } from './impersonate.ts';
import { describeProgress } from './describe-progress.ts';
import { Story } from './story.ts';
import { watchTpm } from './watch-tpm.ts';
import type { TpmWatch } from './watch-tpm.ts';
import { tamperWithChallenges } from './tampered-transport.ts';

/** What the scenario runs with. */
export interface ScenarioOptions {
  readonly emit: DemoSink;
  /** Ends the scenario early; everything that was started is stopped first. */
  readonly signal: AbortSignal;
}

/** Byte 40 of an activation blob lies in the encrypted key of the credential, which an HMAC protects. */
const tamperedByteOffset = 40;

/** Runs the whole story. Rejects when anything in it goes otherwise than told; leaves nothing running. */
export async function runTpmScenario({ emit, signal }: ScenarioOptions): Promise<void> {
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

  story.step('The provisioning service', 'emulated here, with real cryptography and TLS');
  const emulator = resources.use(await startEmulator({ retryAfterSeconds: 0 }));
  story.happened('emulator listens', `${emulator.endpoints.http}, ID scope ${emulator.idScope}`);

  story.step('The operator enrolls the device', 'with its public endorsement key, through the service API');
  await createEnrollment(
    {
      registrationId,
      deviceId: 'demo-device',
      attestation: { type: 'tpm', endorsementKey, storageRootKey },
    },
    { ...emulator, signal },
  );
  story.happened('enrollment created', 'demo-device');

  story.step('The device registers', 'over HTTPS; commands of the TPM are marked ■');
  const transport = createHttpTransport({ ca: emulator.caPem });
  await registerDevice({ story, emulator, transport, device, watch, signal });

  story.step('The device talks to its hub', 'the token is signed inside the TPM');
  await talkToHub({ story, emulator, device, signal });

  story.step('A tampered challenge', 'one bit of the wrapped key was flipped on the way');
  await expectRefusal(story, 'tampered-challenge', () =>
    register({
      ...targetOf(emulator),
      transport: tamperWithChallenges(transport, tamperedByteOffset),
      securityClient: device,
      signal,
    }),
  );
  story.fact('the device', 'still holds the key that worked before:');
  await talkToHub({ story, emulator, device, signal });

  story.step('Another TPM', 'claims to be the same device');
  const otherSimulator = resources.use(await startTpmSimulator({ signal }));
  const other = resources.use(
    await createTpmSecurityClient({ tpm: otherSimulator.address, registrationId, onTrace: watch.onTrace }),
  );
  await expectRefusal(story, 'another-tpm', () =>
    register({ ...targetOf(emulator), transport, securityClient: other, signal }),
  );
  story.fact('so it', "shows the enrolled device's public keys, which anybody may know:");
  await expectRefusal(story, 'another-tpm-with-copied-public-keys', () =>
    register({
      ...targetOf(emulator),
      transport,
      securityClient: impersonate(other, { endorsementKey, storageRootKey }),
      signal,
    }),
  );
}

interface Scene {
  readonly story: Story;
  readonly emulator: Emulator;
  readonly device: TpmSecurityClientHandle;
  readonly signal: AbortSignal;
}

async function registerDevice(
  scene: Scene & { readonly transport: Transport; readonly watch: TpmWatch },
): Promise<void> {
  const { story, emulator, transport, device, watch, signal } = scene;
  const before = watch.totals();
  const startedAt = performance.now();
  const result = await register({
    ...targetOf(emulator),
    transport,
    securityClient: device,
    signal,
    onProgress: (progress) => describeProgress(progress, story),
  });
  const after = watch.totals();
  story.emit({
    event: 'assigned',
    assignedHub: result.assignedHub,
    deviceId: result.deviceId,
    registrationId: result.registrationId,
    wallMs: performance.now() - startedAt,
    tpmMs: after.durationMs - before.durationMs,
    tpmCommands: after.commands - before.commands,
  });
}

async function talkToHub({ story, emulator, device, signal }: Scene): Promise<void> {
  const startedAt = performance.now();
  const hub = { assignedHub: emulator.assignedHub, deviceId: 'demo-device' };
  const status = await sendTelemetry({
    ...hub,
    tokens: createHubTokenProvider({
      securityClient: device,
      hubHost: hub.assignedHub,
      deviceId: hub.deviceId,
    }),
    message: { temperatureCelsius: 21.5 },
    caPem: emulator.caPem,
    signal,
  });
  if (status !== 204) throw new Error(`the hub answered HTTP ${status} to telemetry`);
  story.emit({
    event: 'telemetry',
    deviceId: hub.deviceId,
    status,
    durationMs: performance.now() - startedAt,
  });
}

/** Runs something that must be refused with a typed error, and reports why it was. */
async function expectRefusal(story: Story, scenario: string, attack: () => Promise<unknown>): Promise<void> {
  try {
    await attack();
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    story.emit({ event: 'refused', scenario, code: error.code, reason: error.message });
    return;
  }
  throw new Error(`${scenario} was not refused`);
}

function targetOf(emulator: Emulator): { readonly provisioningHost: string; readonly idScope: string } {
  return { provisioningHost: emulator.provisioningHost, idScope: emulator.idScope };
}
