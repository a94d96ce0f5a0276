/**
 * Transports of the official Azure IoT SDK for Node.js, unmodified, behind our `register()`, when the service refuses or
 * the connection breaks: which code each of them lets us tell. Where it is not the code of our own transports, the README
 * of `azure-compat` says so.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultRule } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import type { Carrier } from '../support/carriers.ts';
import { carriers } from '../support/carriers.ts';
import { officialEnvironment } from '../support/official-environment.ts';
import type { ActorRun } from '../support/run-actor.ts';
import { runActor } from '../support/run-actor.ts';

const key = Secret.fromBytes(Buffer.alloc(32, 'the key of every device here'));

/** Devices, and what happens to their register request. */
const faults: Readonly<Record<string, FaultRule['fault']>> = {
  throttled: { kind: 'status', status: 429 },
  unavailable: { kind: 'status', status: 503 },
  'not-implemented': { kind: 'status', status: 501 },
  'bad-request': { kind: 'status', status: 400 },
  dropped: { kind: 'drop', when: 'before-handling' },
};
const cases = ['wrong-key', 'unknown', 'disabled', ...Object.keys(faults)];

/** What our own transports say, except for `registering`, the word that these make up for a busy service. */
const expected: Readonly<Record<string, object>> = {
  'wrong-key': { code: 'ERR_SERVICE_UNAUTHORIZED', retryable: false },
  unknown: { code: 'ERR_SERVICE_NOT_FOUND', retryable: false },
  disabled: { code: 'ERR_REGISTRATION_DISABLED', retryable: false },
  throttled: { code: 'ERR_SERVICE_THROTTLED', retryable: true },
  unavailable: { code: 'ERR_SERVICE_UNAVAILABLE', retryable: true },
  'not-implemented': { code: 'ERR_SERVICE_UNAVAILABLE', retryable: false },
  'bad-request': { code: 'ERR_SERVICE_BAD_REQUEST', retryable: false, serviceCode: 400_001 },
  dropped: { code: 'ERR_TRANSPORT_LOST', retryable: true },
};

// A refused SASL handshake is a lost connection to them, and says nothing more.
const lost = { code: 'ERR_TRANSPORT_LOST', retryable: true };
const overAmqp = { 'wrong-key': lost, unknown: lost };
// An MQTT service answers both alike, and every status from 429 up is the same to them.
const unauthorized = { code: 'ERR_SERVICE_UNAUTHORIZED', retryable: false };
const busy = { code: 'ERR_SERVICE_THROTTLED', retryable: true };
const overMqtt = { unknown: unauthorized, unavailable: busy, 'not-implemented': busy };
const deviations: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  amqp: overAmqp,
  'amqp-ws': overAmqp,
  mqtt: overMqtt,
  'mqtt-ws': overMqtt,
};

describe.each(carriers)('over $name', (carrier) => {
  test('each failure has the code that their transport lets us tell', async () => {
    const run = await runFailures(carrier);
    const codes = { ...expected, ...deviations[carrier.name] };
    expect(run.lines, run.errors).toMatchObject(
      cases.map((registrationId) => ({ registrationId, ...codes[registrationId] })),
    );
    expect(run.exitCode, run.errors).toBe(0);
  });
});

async function runFailures(carrier: Carrier): Promise<ActorRun> {
  await using emulator = await startEmulator();
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'endorse-foreign-'));
  resources.defer(() => rm(directory, { recursive: true }));
  const keys = { primaryKey: key, secondaryKey: key };
  for (const registrationId of cases.filter((name) => name !== 'unknown')) {
    await emulator.createSymmetricKeyEnrollment({
      registrationId,
      ...keys,
      ...(registrationId === 'disabled' ? { provisioningStatus: 'disabled' } : {}),
    });
  }
  for (const [device, fault] of Object.entries(faults)) {
    emulator.faults.add({ operation: 'register', device, fault });
  }
  const endpoint = carrier.endpoint(emulator);
  const { environment, nodeArguments } = await officialEnvironment(emulator, endpoint, directory);
  const asBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const wrongKey = asBase64(new Uint8Array(32));
  return await runActor('foreign-failures.mjs', {
    nodeArguments: ['--conditions=@endorse/source', ...nodeArguments],
    environment: {
      ...environment,
      ENDORSE_CARRIER: carrier.name,
      ENDORSE_DEVICES: JSON.stringify(
        cases.map((registrationId) => ({
          registrationId,
          key: registrationId === 'wrong-key' ? wrongKey : asBase64(key.reveal()),
        })),
      ),
    },
  });
}
