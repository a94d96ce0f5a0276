/**
 * Custom allocation against a web-hook that a test answers: what it is asked, and what each answer makes of the
 * registration. Members and codes are those of the service's documentation and of what its users report.
 */
import type { EmulatorCoreOptions, WebHookOutcome, WebHookRequest } from '@endorse/emulator/core';
import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';
import { deriveGroupDeviceKey } from '@endorse/protocol';
import { Secret } from '@endorse/interface';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { coreFixture, expectOutcome } from './support/core-fixture.ts';
import { matching } from './support/matchers.ts';
import { deviceToken } from './support/software-tpm.ts';

const key = Secret.fromBytes(Buffer.alloc(32, 5));
const customAllocationDefinition = { webhookUrl: 'https://hook.test/api', apiVersion: '2021-10-01' };
const custom = { allocationPolicy: 'custom', customAllocationDefinition } as const;
const attestation = { type: 'symmetricKey', primaryKey: key, secondaryKey: key } as const;
const hubs = ['one', 'two', 'three'].map((name) => ({ name, hostName: `${name}.test:1` }));

/** A web-hook whose questions wait for the test's answers. */
function hook() {
  const questions: {
    readonly request: WebHookRequest;
    readonly answer: (outcome: WebHookOutcome) => Promise<void>;
  }[] = [];
  const callWebHook = (request: WebHookRequest): Promise<WebHookOutcome> => {
    const { promise, resolve } = Promise.withResolvers<WebHookOutcome>();
    const answer = async (outcome: WebHookOutcome): Promise<void> => {
      resolve(outcome);
      // What follows an answer runs in microtasks.
      await new Promise(setImmediate);
    };
    questions.push({ request, answer });
    return promise;
  };
  return { questions, callWebHook };
}

function fixture(options: Partial<EmulatorCoreOptions> = {}) {
  const { questions, callWebHook } = hook();
  const { core, clock, events } = coreFixture({ hubs, callWebHook, ...options });
  const device = async (registrationId: string, deviceKey = key.reveal(), payload = {}) => {
    const { idScope } = core;
    const token = await deviceToken({
      idScope,
      registrationId,
      key: deviceKey,
      expiresAt: clock.now() + 60_000,
    });
    const identity = { idScope, registrationId, credential: { kind: 'token', token } } as const;
    const register = () => expectOutcome(core.register({ ...identity, payload }), 'operation').operation;
    const poll = (operationId: string) =>
      expectOutcome(core.queryOperation({ ...identity, operationId }), 'operation').operation;
    return { register, poll };
  };
  const enroll = (change: Partial<IndividualEnrollment> = {}) =>
    core.enrollments.write({ registrationId: 'dev', attestation, ...custom, ...change }, undefined);
  return { core, events, questions, device, enroll };
}

const answered = (body: unknown, status = 200): WebHookOutcome => ({
  outcome: 'answered',
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

test('a device stays assigning until the web-hook has answered, and gets its hub, twin and payload', async () => {
  const { core, questions, device, enroll, events } = fixture();
  enroll({ iotHubs: ['one', 'two'], initialTwin: { tags: { from: 'enrollment' } } });
  const { register, poll } = await device('dev', undefined, { colour: 'red' });
  const { operationId } = register();
  expect(poll(operationId).status).toBe('assigning');
  expect(register().operationId).toBe(operationId);
  expect(questions).toHaveLength(1);
  await questions[0]?.answer(
    answered({
      iotHubHostName: 'two.test:1',
      initialTwin: { tags: { from: 'hook' }, properties: { desired: { on: true } } },
      payload: { hello: 'device' },
    }),
  );
  expect(poll(operationId)).toMatchObject({
    status: 'assigned',
    registrationState: { assignedHub: 'two.test:1', payload: { hello: 'device' } },
  });
  expect(core.hubs[1]?.readTwin('dev')).toMatchObject({
    tags: { from: 'hook' },
    desired: { properties: { on: true } },
  });
  expect(events.filter(({ event }) => event === 'web-hook-answered')).toMatchObject([
    { status: 200, operationId },
  ]);
});

test('it is asked about an individual enrollment without its keys', async () => {
  const { questions, device, enroll } = fixture();
  enroll({ iotHubs: ['two', 'one'] });
  (await device('dev', undefined, { colour: 'red' })).register();
  const { url, apiVersion, body } = questions[0]?.request ?? { body: '' };
  expect({ url, apiVersion }).toEqual({ url: 'https://hook.test/api', apiVersion: '2021-10-01' });
  expect(JSON.parse(body)).toEqual({
    individualEnrollment: matchingEnrollment('dev'),
    deviceRuntimeContext: { registrationId: 'dev', symmetricKey: {}, payload: { colour: 'red' } },
    linkedHubs: ['two.test:1', 'one.test:1'],
  });
  expect(body).not.toContain(Buffer.from(key.reveal()).toString('base64'));
});

function matchingEnrollment(registrationId: string): unknown {
  return expect.objectContaining({ registrationId, attestation: { type: 'symmetricKey', symmetricKey: {} } });
}

test('it is asked about the group of a device, and where the device is now', async () => {
  const { core, questions, device } = fixture();
  const group: EnrollmentGroup = { enrollmentGroupId: 'plant', attestation, ...custom };
  expectOutcome(core.enrollmentGroups.write(group, undefined), 'enrollment-group');
  const { register, poll } = await device('member', deriveGroupDeviceKey(key.reveal(), 'member'));
  const first = register();
  await questions[0]?.answer(answered({ iotHubHostName: 'one' }));
  poll(first.operationId);
  register();
  const body = JSON.parse(questions[1]?.request.body ?? '') as Record<string, unknown>;
  expect(body).toMatchObject({
    enrollmentGroup: { enrollmentGroupId: 'plant' },
    deviceRuntimeContext: {
      registrationId: 'member',
      currentIotHubHostName: 'one.test:1',
      currentDeviceId: 'member',
    },
    linkedHubs: hubs.map(({ hostName }) => hostName),
  });
  expect(JSON.stringify(body)).not.toContain(Buffer.from(key.reveal()).toString('base64'));
});

test.each([
  ['status 400', answered({}, 400), 400_207, /^Custom allocation failed with status code: 400$/],
  ['status 302', answered({}, 302), 400_207, /status code: 302$/],
  ['no JSON', answered('<html>'), 400_207, /no JSON object/],
  ['an array', answered([]), 400_207, /no JSON object/],
  ['a twin that is none', answered({ iotHubHostName: 'one.test:1', initialTwin: 7 }), 400_207, /initialTwin/],
  [
    'silence',
    { outcome: 'unreachable', reason: 'did not answer within 5 ms' } as const,
    400_207,
    /within 5 ms/,
  ],
  ['no hub', answered({ payload: 1 }), 400_208, /linked/],
  ['an unknown hub', answered({ iotHubHostName: 'other.example' }), 400_208, /linked/],
  ['a hub the enrollment may not use', answered({ iotHubHostName: 'three.test:1' }), 400_209, /may not use/],
])('%s of the web-hook fails the registration', async (_title, outcome, errorCode, message) => {
  const { questions, device, enroll } = fixture();
  enroll({ iotHubs: ['one', 'two'] });
  const { register, poll } = await device('dev');
  const { operationId } = register();
  await questions[0]?.answer(outcome);
  expect(poll(operationId)).toMatchObject({
    status: 'failed',
    registrationState: { errorCode, errorMessage: matching(message) },
  });
  // The next registration asks anew.
  register();
  expect(questions).toHaveLength(2);
});

test('after a restart the device that comes back has the web-hook asked again', async () => {
  const store = createMemoryStore();
  const before = fixture({ store });
  before.enroll();
  const { operationId } = (await before.device('dev')).register();
  const after = fixture({ store });
  const { poll } = await after.device('dev');
  expect(poll(operationId).status).toBe('assigning');
  await after.questions[0]?.answer(answered({ iotHubHostName: 'one.test:1' }));
  expect(poll(operationId)).toMatchObject({ status: 'assigned' });
});

test('an answer for an operation that is gone changes nothing', async () => {
  const { core, questions, device, enroll } = fixture();
  enroll();
  (await device('dev')).register();
  core.createSymmetricKeyEnrollment({
    registrationId: 'dev',
    primaryKey: Buffer.alloc(32, 6),
    secondaryKey: Buffer.alloc(32, 6),
  });
  await questions[0]?.answer(answered({ iotHubHostName: 'one.test:1' }));
  expect(core.hubs.flatMap((hub) => hub.listDevices())).toEqual([]);
});

test('a device that is never moved is not asked about again', async () => {
  const { questions, device, enroll } = fixture();
  enroll({ reprovisionPolicy: { updateHubAssignment: false, migrateDeviceData: false } });
  const { register, poll } = await device('dev');
  const { operationId } = register();
  await questions[0]?.answer(answered({ iotHubHostName: 'one.test:1' }));
  poll(operationId);
  expect(poll(register().operationId).status).toBe('assigned');
  expect(questions).toHaveLength(1);
});

test('without a way to call web-hooks the registration fails and says so', async () => {
  const { events, device, enroll } = fixture({ callWebHook: undefined as never });
  enroll();
  const { register, poll } = await device('dev');
  expect(poll(register().operationId)).toMatchObject({ registrationState: { errorCode: 400_207 } });
  expect(events.at(-1)).toMatchObject({ event: 'registration-failed', errorCode: 400_207 });
});
