/** The admin API without sockets: who may call it, what it tells, and that nothing secret is in it. */
import { createHash } from 'node:crypto';
import { Secret } from '@endorse/interface';
import type { EmulatorCoreOptions } from '@endorse/emulator/core';
import { describe, expect, test } from 'vitest';
import type { AdminAnswer } from '../src/admin/admin-api.ts';
import { createAdminApi } from '../src/admin/admin-api.ts';
import { createCounters } from '../src/admin/counters.ts';
import { createTraceLog, maxTraces } from '../src/admin/trace-log.ts';
import { coreFixture, expectOutcome, keysOf } from './support/core-fixture.ts';

const token = 'a-token-of-the-test';

function adminFixture(options: Partial<EmulatorCoreOptions> = {}) {
  const counters = createCounters();
  const traces = createTraceLog();
  const fixture = coreFixture({
    ...options,
    onEvent: (event) => counters.count(event),
    onDeviceExchange: (exchange) => void traces.note(exchange),
  });
  const api = createAdminApi({
    core: fixture.core,
    counters,
    traces,
    token: Secret.fromText(token),
    provisioningHost: 'localhost:8443',
    endpoints: { http: 'https://localhost:8443' },
    caFile: '/tmp/ca.pem',
    startedAt: fixture.clock.now(),
  });
  const call = (line: string, change: { body?: unknown; host?: string; authorization?: string } = {}) => {
    const [method = '', target = ''] = line.split(' ');
    const { body, host = 'localhost:1', authorization = `Bearer ${token}` } = change;
    return api.handle({
      method,
      target,
      host,
      authorization,
      body: body === undefined ? '' : JSON.stringify(body),
    });
  };
  return { ...fixture, call, api };
}

function valueOf(answer: AdminAnswer): unknown {
  if (answer.kind !== 'json' || answer.status >= 300) throw new Error(JSON.stringify(answer));
  return answer.value;
}

/** A registration as a carrier makes it. */
async function registerDevice({
  core,
  identity,
  tpm,
  clock,
  solveChallenge,
}: ReturnType<typeof adminFixture>) {
  core.answerDevice('http', {
    operation: 'register',
    ...identity,
    ...keysOf(tpm),
    credential: { kind: 'none' },
  });
  await clock.advance(40);
  const credential = { kind: 'token', token: await solveChallenge() } as const;
  const { response } = core.answerDevice('http', { operation: 'register', ...identity, credential });
  if (response === undefined) throw new Error('dropped');
  const { operationId } = expectOutcome(response, 'operation').operation;
  await clock.advance(60);
  core.answerDevice('amqp', { operation: 'query-operation', ...identity, credential, operationId });
  return { credential, operationId };
}

describe('access', () => {
  test.each([
    ['no token', { authorization: '' }, 401],
    ['another token', { authorization: `Bearer ${token}x` }, 401],
    ['another scheme', { authorization: `Basic ${token}` }, 401],
    ['another host, as after DNS rebinding', { host: 'evil.example:80' }, 403],
    ['no host', { host: '' }, 403],
  ])('with %s is refused', (_title, change, status) => {
    const { call } = adminFixture();
    expect(call('GET /api/overview', change)).toMatchObject({ kind: 'json', status });
    expect(call('GET /metrics', change)).toMatchObject({ status });
    expect(call('DELETE /api/faults', change)).toMatchObject({ status });
  });

  test('the page itself needs none, as it holds nothing', () => {
    expect(adminFixture().call('GET /', { authorization: '' })).toEqual({ kind: 'page' });
  });

  test.each([
    'GET /api',
    'GET /api/nothing',
    'PUT /api/faults',
    'GET /api/traces/nobody',
    'GET /api/a/b/c',
    'DELETE /api/faults/x',
    'POST /',
  ])('%s is not found', (line) => expect(adminFixture().call(line)).toMatchObject({ status: 404 }));

  test.each(['GET /api/traces/%zz', 'GET http://['])('%s is refused', (line) => {
    expect(adminFixture().call(line)).toMatchObject({ status: 400 });
  });
});

test('a registration is traced step by step, with the wrapped keys taken apart and no secret', async () => {
  const fixture = adminFixture();
  const { credential } = await registerDevice(fixture);
  const trace = valueOf(fixture.call('GET /api/traces/DEVICE-1'));
  expect(trace).toMatchObject({
    id: 1,
    registrationId: 'device-1',
    state: 'assigned',
    assignedHub: 'hub.endorse.test',
    deviceId: 'device-1',
    steps: [
      {
        sinceStartMs: 0,
        carrier: 'http',
        operation: 'register',
        credential: 'none',
        status: 401,
        told: 'a key, wrapped for its TPM',
        // The sizes of the published capture of a real service (RSA-2048 keys), less their two size bytes.
        blob: [
          { name: 'TPM2B_ID_OBJECT', byteLength: 52 },
          { name: 'TPM2B_ENCRYPTED_SECRET', byteLength: 256 },
          { name: 'TPM2B_PRIVATE', byteLength: 142 },
          { name: 'TPM2B_ENCRYPTED_SECRET', byteLength: 256 },
          {
            name: 'TPM2B_PUBLIC',
            byteLength: 48,
            says: expect.stringMatching(/^keyedHash, sha256; .*sign/) as unknown,
          },
          { name: 'TPM2B_DATA' },
        ],
      },
      { sinceStartMs: 40, credential: 'token', status: 202, told: 'assigning' },
      {
        sinceStartMs: 100,
        carrier: 'amqp',
        operation: 'query-operation',
        status: 200,
        told: 'assigned to hub.endorse.test',
        blob: [{ name: 'TPM2B_ID_OBJECT' }, {}, {}, {}, {}, {}],
      },
    ],
  });
  const signature = /sig=([^&]+)/.exec(credential.token)?.[1] ?? 'none';
  expect(JSON.stringify(trace)).not.toContain(signature);
  expect(JSON.stringify(trace)).not.toContain('SharedAccessSignature');
});

test('a device that registers again begins a new trace, one that is refused may go on', async () => {
  const fixture = adminFixture();
  const { core, identity, call } = fixture;
  await registerDevice(fixture);
  const { credential } = await registerDevice(fixture);
  expect(valueOf(call('GET /api/traces'))).toMatchObject([{ id: 2, state: 'assigned', steps: [{}, {}, {}] }]);
  core.answerDevice('http', { operation: 'register', ...identity, registrationId: 'stranger', credential });
  expect(valueOf(call('GET /api/traces/stranger'))).toMatchObject({
    state: 'refused',
    steps: [{ status: 404, told: expect.stringMatching(/^404201 Enrollment not found/) as unknown }],
  });
});

test('what a fault script did is in the trace', async () => {
  const fixture = adminFixture();
  const { core, call } = fixture;
  const rules = [
    { name: 'late', operation: 'query-operation', fault: { kind: 'delay', delayMs: 5 } },
    { name: 'lost', operation: 'look-up-state', fault: { kind: 'drop', when: 'before-handling' } },
  ];
  for (const body of rules)
    expect(call('POST /api/faults', { body })).toMatchObject({ status: 201, value: { name: body.name } });
  const { credential } = await registerDevice(fixture);
  core.answerDevice('http', { operation: 'look-up-state', ...fixture.identity, credential });
  expect(valueOf(call('GET /api/traces/device-1'))).toMatchObject({
    steps: [{}, {}, { spoiled: '5 ms late' }, { told: 'nothing: the connection was dropped' }],
  });
  expect(valueOf(call('GET /api/faults'))).toMatchObject([
    { name: 'late', hits: 1 },
    { name: 'lost', hits: 1 },
  ]);
  expect(call('DELETE /api/faults/late')).toEqual({ kind: 'empty' });
  expect(call('DELETE /api/faults')).toEqual({ kind: 'empty' });
  expect(valueOf(call('GET /api/faults'))).toEqual([]);
  for (const body of [undefined, [], {}, { fault: { kind: 'status', status: 200 } }]) {
    expect(call('POST /api/faults', { body })).toMatchObject({
      status: 400,
      value: { message: expect.stringContaining('fault') as unknown },
    });
  }
});

test('the overview and the metrics count, and name no device', async () => {
  const fixture = adminFixture();
  await registerDevice(fixture);
  const { call, core } = fixture;
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
  core.enrollments.handle({ kind: 'get-enrollment', registrationId: 'device-1', token: undefined });
  expect(valueOf(call('GET /api/overview'))).toMatchObject({
    idScope: '0ne00000000',
    provisioningHost: 'localhost:8443',
    caFile: '/tmp/ca.pem',
    gauges: { enrollments: 1, enrollment_groups: 1, registrations: 1, hub_devices: 1, faults_active: 0 },
    hubs: [{ hostName: 'hub.endorse.test', devices: 1 }],
  });
  const metrics = call('GET /metrics');
  if (metrics.kind !== 'text') throw new Error('no text');
  expect(metrics.text).toContain('# TYPE endorse_device_assigned_total counter\n');
  expect(metrics.text).toContain('\nendorse_device_assigned_total 1\n');
  expect(metrics.text).toContain(
    '\nendorse_requests_refused_total{operation="get-enrollment",error_code="401002"} 1\n',
  );
  expect(metrics.text).toMatch(/\nendorse_enrollments 1\n/);
  expect(metrics.text).not.toContain('device-1');
  // Every line is one of the text format.
  const lines = metrics.text.trimEnd().split('\n');
  expect(
    lines.filter(
      (line) =>
        !/^(# TYPE [a-z_]+ (counter|gauge)|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \d+(\.\d+)?)$/.test(
          line,
        ),
    ),
  ).toEqual([]);
});

test('enrollments come in pages without keys, connection strings only where they are asked for', () => {
  const { call, core } = adminFixture();
  for (const registrationId of ['a', 'b', 'c']) core.createSymmetricKeyEnrollment({ registrationId });
  const first = valueOf(call('GET /api/enrollments?limit=2')) as { rows: object[]; next: number };
  expect(first.rows).toMatchObject([{ registrationId: 'device-1' }, { registrationId: 'a' }]);
  const rest = valueOf(call(`GET /api/enrollments?limit=2&after=${first.next}`));
  expect(rest).toMatchObject({ rows: [{ registrationId: 'b' }, { registrationId: 'c' }] });
  expect(rest).not.toHaveProperty('next');
  core.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
  expect(valueOf(call('GET /api/enrollment-groups'))).toMatchObject([{ enrollmentGroupId: 'plant' }]);
  const [policy] = core.policies;
  const key = Buffer.from(policy.primaryKey.reveal()).toString('base64');
  expect(valueOf(call('GET /api/connection-strings'))).toEqual([
    {
      policy: policy.name,
      rights: policy.rights,
      connectionString: `HostName=localhost:8443;SharedAccessKeyName=${policy.name};SharedAccessKey=${key}`,
    },
  ]);
  const others = ['overview', 'enrollments', 'enrollment-groups', 'traces', 'faults'].map((name) =>
    valueOf(call(`GET /api/${name}`)),
  );
  expect(JSON.stringify(others)).not.toMatch(/SharedAccess|primaryKey/);
});

test('the log keeps the last traces and no more', () => {
  const { core, identity, call } = adminFixture();
  const credential = { kind: 'token', token: createHash('sha256').digest('hex') } as const;
  for (let index = 0; index < maxTraces + 10; index += 1) {
    core.answerDevice('mqtt', {
      operation: 'register',
      ...identity,
      registrationId: `d-${index}`,
      credential,
    });
  }
  const all = valueOf(call('GET /api/traces')) as object[];
  expect(all).toHaveLength(maxTraces);
  expect(all[0]).toMatchObject({ registrationId: `d-${maxTraces + 9}` });
});
