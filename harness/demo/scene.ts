/** What every story has in common: a registration, telemetry, and attempts that must be refused. */
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { SecurityClient, Transport } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import type { AttestationMechanism } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { connectHubOverMqtt } from '../support/hub-over-mqtt.ts';
import { createEnrollment } from '../support/operator.ts';
import type { HubCredentials } from '../support/telemetry.ts';
import { sendTelemetry } from '../support/telemetry.ts';
import type { Carrier } from './carriers.ts';
import { describeProgress } from './describe-progress.ts';
import type { DemoSink } from './events.ts';
import type { Story } from './story.ts';
import type { TpmWatch } from './watch-tpm.ts';

/** What a scenario runs with. */
export interface ScenarioOptions {
  readonly emit: DemoSink;
  /** What the device registers over. */
  readonly carrier: Carrier;
  /** Ends the scenario early; everything that was started is stopped first. */
  readonly signal: AbortSignal;
}

/** Where a step of a story takes place. */
export interface Scene {
  readonly story: Story;
  readonly emulator: Emulator;
  readonly carrier: Carrier;
  readonly signal: AbortSignal;
}

/** The device's name at its hub. */
export const deviceId = 'demo-device';

/** Starts the provisioning service of a story, and tells where it listens. */
export async function startService(story: Story): Promise<Emulator> {
  story.step('The provisioning service', 'emulated here, with real cryptography and TLS');
  const emulator = await startEmulator({ retryAfterSeconds: 0 });
  story.happened('emulator listens', `${emulator.endpoints.http}, ID scope ${emulator.idScope}`);
  return emulator;
}

/** Enrolls the device through the service API. */
export async function enrollDevice(
  { story, emulator, signal }: Scene,
  registrationId: string,
  attestation: AttestationMechanism,
): Promise<void> {
  await createEnrollment({ registrationId, deviceId, attestation }, { ...emulator, signal });
  story.happened('enrollment created', deviceId);
}

/** Registers the device and tells every step; with a `watch` also what the TPM had to do with it. */
export async function registerDevice(
  { story, emulator, carrier, signal }: Scene,
  device: {
    readonly transport: Transport;
    readonly securityClient: SecurityClient;
    readonly watch?: TpmWatch;
  },
): Promise<void> {
  const { transport, securityClient, watch } = device;
  const before = watch?.totals();
  const startedAt = performance.now();
  const result = await register({
    ...targetOf(emulator, carrier),
    transport,
    securityClient,
    signal,
    onProgress: (progress) => describeProgress(progress, story),
  });
  const wallMs = performance.now() - startedAt;
  const after = watch?.totals();
  story.emit({
    event: 'assigned',
    assignedHub: result.assignedHub,
    deviceId: result.deviceId,
    registrationId: result.registrationId,
    wallMs,
    ...(before === undefined || after === undefined
      ? {}
      : {
          tpmMs: after.durationMs - before.durationMs,
          tpmCommands: after.commands - before.commands,
        }),
  });
}

/** Sends one message to the hub; over MQTT also uses its twin and runs a method. Rejects unless the hub takes it. */
export async function talkToHub(scene: Scene, credentials: HubCredentials): Promise<void> {
  const { story, emulator, carrier, signal } = scene;
  if (carrier.hub !== undefined) {
    await talkOverMqtt(scene, carrier.hub, credentials);
    return;
  }
  const startedAt = performance.now();
  const status = await sendTelemetry({
    assignedHub: emulator.assignedHub,
    deviceId,
    credentials,
    message: { temperatureCelsius: 21.5 },
    caPem: emulator.caPem,
    signal,
  });
  if (status !== 204) throw new Error(`the hub answered HTTP ${status} to telemetry`);
  story.emit({ event: 'telemetry', deviceId, status, durationMs: performance.now() - startedAt });
}

/** What MQTT has beside messages: both sides of the twin, and a method that the operator runs on the device. */
async function talkOverMqtt(
  { story, emulator, signal }: Scene,
  carrier: 'mqtt' | 'mqtt-ws',
  credentials: HubCredentials,
): Promise<void> {
  const { assignedHub, caPem, hub } = emulator;
  const told = Promise.withResolvers<string>();
  const device = await connectHubOverMqtt({
    assignedHub,
    deviceId,
    credentials,
    caPem,
    carrier,
    onMethod: (methodName) => ({ ran: methodName }),
    onDesired: ({ properties }) => told.resolve(JSON.stringify(properties)),
    signal,
  });
  try {
    story.happened('connected', `to ${assignedHub}`);
    const startedAt = performance.now();
    await device.sendTelemetry({ temperatureCelsius: 21.5 });
    story.emit({ event: 'telemetry', deviceId, durationMs: performance.now() - startedAt });
    const version = await device.patchReported({ firmware: '1.0.0' });
    story.happened('twin reported', `{"firmware":"1.0.0"}, version ${version}`);
    await hub.patchDesired(deviceId, { intervalSeconds: 5 });
    story.happened('twin desired', await told.promise);
    const { status, payload } = await hub.invokeMethod(deviceId, { methodName: 'reboot' });
    story.happened('method', `reboot: ${status} ${JSON.stringify(payload)}`);
  } finally {
    await device[Symbol.asyncDispose]();
  }
}

/** Runs something that must be refused with a typed error, and reports why it was. */
export async function expectRefusal(
  story: Story,
  scenario: string,
  attack: () => Promise<unknown>,
): Promise<void> {
  try {
    await attack();
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    story.emit({ event: 'refused', scenario, code: error.code, reason: error.message });
    return;
  }
  throw new Error(`${scenario} was not refused`);
}

/** Where devices of this emulator register over a carrier. */
export function targetOf(
  emulator: Emulator,
  carrier: Carrier,
): {
  readonly provisioningHost: string;
  readonly idScope: string;
} {
  return { provisioningHost: carrier.hostOf(emulator), idScope: emulator.idScope };
}
