/** The pump-driven client, told by its states: a controller whose loop goes on while its TPM is provisioned, and two refusals. */
import { setTimeout } from 'node:timers/promises';
import type { NonceDecryptingSecurityClient } from '@endorse/interface';
import type { ProvisioningClientLL as Client } from '@endorse/provisioning-client';
import { ProvDeviceResult, ProvisioningClientLL, nameOfStatus } from '@endorse/provisioning-client';
import { createHubTokenProvider, createTpmSecurityClient } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { createHttpPump } from '@endorse/transport-http/pump';
import { carriers } from './carriers.ts';
import { impersonate } from './impersonate.ts';
import type { Scene, ScenarioOptions } from './scene.ts';
import { deviceId, enrollDevice, expectRefusal, startService, talkToHub } from './scene.ts';
import { Story } from './story.ts';
import { watchTpm } from './watch-tpm.ts';

/** Pause between two turns of the controller's loop, in milliseconds. */
const turnMs = 2;

/** Runs the whole story in one dialect. Rejects when anything in it goes otherwise than told; leaves nothing running. */
export async function runLoopScenario(
  { emit, signal, carrier }: ScenarioOptions,
  dialect: 'drs' | 'dps',
): Promise<void> {
  const story = new Story(emit);
  await using resources = new AsyncDisposableStack();

  story.step('A controller with a TPM', 'its loop must not stall; swtpm stands in for the chip');
  const simulator = resources.use(await startTpmSimulator({ signal }));
  story.happened('simulator started', simulator.address);
  const watch = watchTpm(emit);
  const device = resources.use(
    await createTpmSecurityClient({ tpm: simulator.address, onTrace: watch.onTrace }),
  );
  const endorsementKey = await device.getEndorsementKey({ signal });
  const storageRootKey = await device.getStorageRootKey({ signal });
  const registrationId = await device.getRegistrationId({ signal });
  story.fact('registration id', registrationId);

  const emulator = resources.use(await startService(story));
  const scene = { story, emulator, carrier, signal };

  story.step('The operator enrolls the device', 'with its public keys, through the service API');
  await enrollDevice(scene, registrationId, { type: 'tpm', endorsementKey, storageRootKey });

  story.step('The loop turns', `dialect ${dialect}, ${carrier.title}; each doWork() takes one step`);
  const before = watch.totals();
  const startedAt = performance.now();
  const { assignedHub, deviceId: name, turns, longestTurnMs } = await turnLoop(scene, device, dialect);
  const after = watch.totals();
  emit({
    event: 'assigned',
    assignedHub,
    deviceId: name,
    registrationId,
    wallMs: performance.now() - startedAt,
    tpmMs: after.durationMs - before.durationMs,
    tpmCommands: after.commands - before.commands,
  });
  story.fact('the loop', `turned ${turns} times, at most ${longestTurnMs.toFixed(1)} ms in one doWork()`);

  story.step('The device talks to its hub', 'the token is signed inside the TPM');
  const hub = { hubHost: emulator.assignedHub, deviceId };
  await talkToHub(scene, { tokens: createHubTokenProvider({ securityClient: device, ...hub }) });

  story.step('Another TPM', 'claims to be the same device');
  const otherSimulator = resources.use(await startTpmSimulator({ signal }));
  const other = resources.use(
    await createTpmSecurityClient({ tpm: otherSimulator.address, registrationId, onTrace: watch.onTrace }),
  );
  await expectRefusal(story, 'another-tpm', () => turnLoop(scene, other, dialect));
  story.fact('so it', "shows the enrolled device's public keys, which anybody may know:");
  const copied = {
    ...impersonate(other, { endorsementKey, storageRootKey }),
    decryptNonce: (nonce: Uint8Array) => other.decryptNonce(nonce),
  };
  await expectRefusal(story, 'another-tpm-with-copied-public-keys', () => turnLoop(scene, copied, dialect));
}

interface LoopResult {
  readonly assignedHub: string;
  readonly deviceId: string;
  readonly turns: number;
  readonly longestTurnMs: number;
}

/** Turns a loop until the device is registered; rejects with the reason when it is not. */
async function turnLoop(
  scene: Scene,
  securityClient: NonceDecryptingSecurityClient,
  dialect: 'drs' | 'dps',
): Promise<LoopResult> {
  const { story, signal } = scene;
  using client = await createClient(scene, securityClient, dialect);
  let assigned: { readonly assignedHub: string; readonly deviceId: string } | undefined;
  let failure: Error | undefined;
  const begun = client.registerDevice(
    (_result, iothubUri, name) => {
      if (iothubUri !== null && name !== null) assigned = { assignedHub: iothubUri, deviceId: name };
      else failure = client.lastError ?? new Error('the registration failed');
    },
    undefined,
    (status) => story.happened('status callback', nameOfStatus(status)),
  );
  if (begun !== ProvDeviceResult.OK) throw new Error(`registerDevice returned ${begun}`);
  let turns = 0;
  let longestTurnMs = 0;
  while (assigned === undefined && failure === undefined) {
    const startedAt = performance.now();
    client.doWork();
    longestTurnMs = Math.max(longestTurnMs, performance.now() - startedAt);
    turns += 1;
    await setTimeout(turnMs, undefined, { signal });
  }
  if (assigned === undefined) throw failure ?? new Error('the registration failed');
  return { ...assigned, turns, longestTurnMs };
}

async function createClient(
  { story, emulator, carrier }: Scene,
  securityClient: NonceDecryptingSecurityClient,
  dialect: 'drs' | 'dps',
): Promise<Client> {
  let reason: Error | undefined;
  // HTTP has a pump of its own; the other carriers work by themselves.
  const { caPem: ca } = emulator;
  const protocol = carrier === carriers.http ? createHttpPump({ ca }) : carrier.createTransport({ ca });
  const client = await ProvisioningClientLL.create(carrier.hostOf(emulator), emulator.idScope, protocol, {
    securityClient,
    dialect,
    throttleMs: 0,
    onCreateError: (error) => {
      reason = error;
    },
    logger: {
      log: (_level, event, fields = {}) => {
        if (event === 'state-changed')
          story.happened(`state ${String(fields['to'])}`, `from ${String(fields['from'])}`);
        if (event === 'request-sent')
          story.fact('', `${String(fields['method'])} ${pathOf(fields['target'])}`);
        // Over a pump the requests themselves are told.
        if (event === 'exchange-started' && carrier !== carriers.http)
          story.fact('', String(fields['request']));
        if (event === 'exchange-ended' && carrier !== carriers.http) {
          story.fact('', `answered with ${String(fields['reply'])}`);
        }
        if (event === 'reply-received') story.fact('', `HTTP ${String(fields['status'])}`);
      },
    },
  });
  if (client === null) throw reason ?? new Error('the client could not be made');
  client.setOption('logtrace', true);
  return client;
}

/** The registration id is as long as the line; everybody has seen it by now. */
function pathOf(target: unknown): string {
  return String(target)
    .replace(/\?.*/, '')
    .replaceAll(/[a-z2-7]{52}/g, '{id}')
    .replace(/operations\/.*/, 'operations/{operation}');
}
