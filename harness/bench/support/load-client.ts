/**
 * Load from a process of its own. Every message is a task ({@link LoadTask}), answered with what came of it
 * ({@link LoadResult}): devices that register over and over, or an operator that creates enrollments.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Transport } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { createSasToken, parseServiceConnectionString } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { Pool } from 'undici';
import type { Carrier } from './carrier.ts';
import { hostOf } from './carrier.ts';
import { summarize } from './statistics.ts';
import type { LoadResult, LoadTask } from './load-task.ts';

process.on('message', (message) => {
  void run(message as LoadTask).then((result) => process.send?.(result));
});

async function run(task: LoadTask): Promise<LoadResult> {
  switch (task.kind) {
    case 'register':
      return registerDevices(task);
    case 'enroll':
      return createEnrollments(task);
    default:
      return task satisfies never;
  }
}

const key = Secret.fromBytes(Buffer.alloc(32, 7));

async function registerDevices(task: Extract<LoadTask, { readonly kind: 'register' }>): Promise<LoadResult> {
  const { devices, firstDevice = 0, durationMs, warmUpMs } = task;
  const registerOnce = createRegistration(task);
  const countsFrom = performance.now() + warmUpMs;
  const endsAt = countsFrom + durationMs;
  return collect(countsFrom, async (note) => {
    await Promise.all(
      Array.from({ length: devices }, async (_, index) => {
        while (performance.now() < endsAt) {
          const startedAt = performance.now();
          await registerOnce(`device-${firstDevice + index}`);
          note(startedAt);
        }
      }),
    );
  });
}

/** One whole registration of a device over a carrier. */
function createRegistration({
  emulator,
  carrier,
}: Extract<LoadTask, { readonly kind: 'register' }>): (registrationId: string) => Promise<unknown> {
  const { idScope } = emulator;
  const ca = readFileSync(emulator.caFile, 'utf8');
  const provisioningHost = hostOf(carrier, emulator);
  const transport = createTransport(carrier, ca);
  return async (registrationId) => {
    const securityClient = createSymmetricKeySecurityClient({ registrationId, key });
    await register({ provisioningHost, idScope, transport, securityClient, deadlineMs: 120_000 });
  };
}

function createTransport(carrier: Carrier, ca: string): Transport {
  switch (carrier) {
    case 'http':
      return createHttpTransport({ ca });
    case 'amqp':
      return createAmqpTransport({ ca });
    case 'amqp-ws':
      return createAmqpTransport({ ca, webSocket: true });
    case 'mqtt':
      return createMqttTransport({ ca });
    case 'mqtt-ws':
      return createMqttTransport({ ca, webSocket: true });
    default:
      return carrier satisfies never;
  }
}

function signWith(bytes: Uint8Array): (data: Uint8Array) => Promise<Uint8Array> {
  return async (data) => createHmac('sha256', bytes).update(data).digest();
}

async function createEnrollments(task: Extract<LoadTask, { readonly kind: 'enroll' }>): Promise<LoadResult> {
  const { emulator, connections, durationMs, warmUpMs, bulkSize } = task;
  const policy = parseServiceConnectionString(emulator.serviceConnectionString);
  const secret = policy.sharedAccessKey.reveal();
  const token = await createSasToken({
    resource: policy.hostName,
    keyName: policy.sharedAccessKeyName,
    expiresAt: Date.now() + 3_600_000,
    sign: signWith(secret),
  });
  const headers = { authorization: token.revealText(), 'content-type': 'application/json' };
  const ca = readFileSync(emulator.caFile, 'utf8');
  const pool = new Pool(`https://${emulator.provisioningHost}`, { connections, connect: { ca } });
  const attestation = { type: 'symmetricKey' };
  const countsFrom = performance.now() + warmUpMs;
  const endsAt = countsFrom + durationMs;
  let next = 0;
  const nextId = (): string => `load-${task.name}-${(next += 1)}`;
  const request = async (): Promise<void> => {
    const { path, method, body } =
      bulkSize === undefined
        ? singleRequest(nextId(), attestation)
        : bulkRequest(Array.from({ length: bulkSize }, nextId), attestation);
    const answer = await pool.request({ path: `${path}?api-version=2021-10-01`, method, headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}: ${text}`);
  };
  try {
    return await collect(countsFrom, async (note) => {
      await Promise.all(
        Array.from({ length: connections }, async () => {
          while (performance.now() < endsAt) {
            const startedAt = performance.now();
            await request();
            note(startedAt);
          }
        }),
      );
    });
  } finally {
    await pool.close();
  }
}

interface ServiceCall {
  readonly path: string;
  readonly method: 'PUT' | 'POST';
  readonly body: string;
}

function singleRequest(registrationId: string, attestation: object): ServiceCall {
  const body = JSON.stringify({ registrationId, attestation });
  return { path: `/enrollments/${registrationId}`, method: 'PUT', body };
}

function bulkRequest(ids: readonly string[], attestation: object): ServiceCall {
  const enrollments = ids.map((registrationId) => ({ registrationId, attestation }));
  return { path: '/enrollments', method: 'POST', body: JSON.stringify({ enrollments, mode: 'create' }) };
}

/** Runs work and counts what it notes after the warm-up, to the end of what was begun in time. */
async function collect(
  countsFrom: number,
  work: (note: (startedAt: number) => void) => Promise<void>,
): Promise<LoadResult> {
  const durations: number[] = [];
  let last = countsFrom;
  let total = 0;
  await work((startedAt) => {
    const now = performance.now();
    total += 1;
    if (now < countsFrom) return;
    durations.push(now - startedAt);
    last = now;
  });
  if (durations.length === 0) throw new Error('nothing was done after the warm-up');
  const perSecond = (durations.length * 1000) / (last - countsFrom);
  return { total, perSecond, latencyMs: summarize(durations) };
}
