/**
 * What becomes of devices that register again: each row of the table in the service's documentation of reprovisioning, with
 * the twin that goes along and the identity that goes away.
 */
import type { EmulatorCore, EmulatorCoreOptions } from '@endorse/emulator/core';
import type { IndividualEnrollment } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/store/memory-store.ts';
import { coreFixture, expectOutcome } from './support/core-fixture.ts';
import { deviceToken, sas } from './support/software-tpm.ts';

const key = Buffer.alloc(32, 5);
const registrationId = 'device-7';
const hubs = [
  { name: 'one', hostName: 'one.test:1' },
  { name: 'two', hostName: 'two.test:2' },
] as const;

type Policy = NonNullable<IndividualEnrollment['reprovisionPolicy']>;
const migrate: Policy = { updateHubAssignment: true, migrateDeviceData: true };
const reset: Policy = { updateHubAssignment: true, migrateDeviceData: false };
const never: Policy = { updateHubAssignment: false, migrateDeviceData: false };

function fixture(options: Partial<EmulatorCoreOptions> = {}) {
  const { core, clock } = coreFixture({ hubs, ...options });
  const [policy] = core.policies;
  const enroll = async (change: Partial<IndividualEnrollment>): Promise<void> => {
    const token = await sas({
      resource: 'localhost',
      key: policy.primaryKey.reveal(),
      keyName: policy.name,
      expiresAt: clock.now() + 1000,
    });
    const attestation = { type: 'symmetricKey', primaryKey: secret, secondaryKey: secret } as const;
    const initialTwin = { tags: { plant: 'A' }, properties: { desired: { interval: 5 } } };
    const response = core.enrollments.handle({
      kind: 'put-enrollment',
      registrationId,
      token,
      ifMatch: '*',
      readEnrollment: () => ({
        registrationId,
        attestation,
        initialTwin,
        allocationPolicy: 'static',
        ...change,
      }),
    });
    expectOutcome(response, 'enrollment');
  };
  const secret = core.createSymmetricKeyEnrollment({
    registrationId,
    primaryKey: key,
    secondaryKey: key,
  }).primaryKey;
  const register = async () => {
    const token = await deviceToken({
      idScope: core.idScope,
      registrationId,
      key,
      expiresAt: clock.now() + 1000,
    });
    const identity = { idScope: core.idScope, registrationId, credential: { kind: 'token', token } } as const;
    const { operation } = expectOutcome(core.register(identity), 'operation');
    const polled = core.queryOperation({ ...identity, operationId: operation.operationId });
    return expectOutcome(polled, 'operation').operation.registrationState ?? {};
  };
  return { core, enroll, register };
}

/** Twins by hub: tags, desired and reported properties; undefined where the device is not known. */
function twins({ hubs: served }: EmulatorCore, deviceId = registrationId) {
  return served.map((hub) => {
    const twin = hub.readTwin(deviceId);
    return twin && { tags: twin.tags, desired: twin.desired.properties, reported: twin.reported.properties };
  });
}

/** What a device and its owner change after the first registration. */
function live({ hubs: [one] }: EmulatorCore): void {
  one?.patchTwin(registrationId, 'tags', { floor: 2 });
  one?.writeTwin(registrationId, {
    tags: { plant: 'A', floor: 2 },
    desired: { interval: 9 },
    reported: { version: 1 },
  });
}

const initial = { tags: { plant: 'A' }, desired: { interval: 5 }, reported: {} };
const lived = { tags: { plant: 'A', floor: 2 }, desired: { interval: 9 }, reported: { version: 1 } };

test.each([
  ['migrate', migrate, 'two', 'two.test:2', 'deviceDataMigrated', [undefined, lived]],
  ['migrate', migrate, 'one', 'one.test:1', 'initialAssignment', [lived, undefined]],
  ['reset', reset, 'two', 'two.test:2', 'deviceDataReset', [undefined, initial]],
  ['reset', reset, 'one', 'one.test:1', 'deviceDataReset', [initial, undefined]],
  ['never', never, 'two', 'one.test:1', 'initialAssignment', [lived, undefined]],
] as const)(
  'under %s %o, a device that now belongs to hub %s goes to %s: %s',
  async (_name, reprovisionPolicy, hub, assignedHub, substatus, expected) => {
    const { core, enroll, register } = fixture();
    await enroll({ iotHubs: ['one'], reprovisionPolicy });
    expect(await register()).toMatchObject({ assignedHub: 'one.test:1', substatus: 'initialAssignment' });
    expect(twins(core)).toEqual([initial, undefined]);
    live(core);
    await enroll({ iotHubs: [hub], reprovisionPolicy });
    expect(await register()).toMatchObject({ status: 'assigned', assignedHub, substatus });
    expect(twins(core)).toEqual(expected);
  },
);

test('both policies default to migrate, and hashed gives an unchanged device the hub it has', async () => {
  const { enroll, register } = fixture();
  await enroll({ allocationPolicy: 'hashed' });
  const first = await register();
  expect(await register()).toMatchObject({ assignedHub: first.assignedHub, substatus: 'initialAssignment' });
});

test('a device id that changes moves the twin, and the old identity goes', async () => {
  const { core, enroll, register } = fixture();
  await enroll({ iotHubs: ['one'] });
  await register();
  live(core);
  await enroll({ iotHubs: ['one'], deviceId: 'Renamed' });
  expect(await register()).toMatchObject({ deviceId: 'Renamed', substatus: 'deviceDataMigrated' });
  expect([twins(core), twins(core, 'Renamed')]).toEqual([
    [undefined, undefined],
    [lived, undefined],
  ]);
});

test('a device whose registration was deleted is known to its hub, which is told apart from a first assignment', async () => {
  const { core, enroll, register } = fixture();
  await enroll({ iotHubs: ['one'] });
  await register();
  live(core);
  const [policy] = core.policies;
  const token = await sas({
    resource: 'localhost',
    key: policy.primaryKey.reveal(),
    keyName: policy.name,
    expiresAt: 1_800_000_000_000,
  });
  core.enrollments.handle({ kind: 'delete-registration', registrationId, token });
  expect(await register()).toMatchObject({ substatus: 'reprovisionedToInitialAssignment' });
  expect(twins(core)).toEqual([lived, undefined]);
});

test('a registration that fails leaves a device where it was, and the next one moves it as if nothing had been', async () => {
  const { core, enroll, register } = fixture();
  await enroll({ iotHubs: ['one'] });
  await register();
  live(core);
  await enroll({ iotHubs: ['gone.example'] });
  expect(await register()).toMatchObject({ status: 'failed', errorCode: 400_208 });
  expect(twins(core)).toEqual([lived, undefined]);
  await enroll({ iotHubs: ['two'] });
  expect(await register()).toMatchObject({ substatus: 'deviceDataMigrated', assignedHub: 'two.test:2' });
  expect(twins(core)).toEqual([undefined, lived]);
});

test('an initial twin the hub does not take fails the registration and writes nothing', async () => {
  const { core, enroll, register } = fixture();
  await enroll({ iotHubs: ['one'], initialTwin: { properties: { desired: { 'a.b': 1 } } } });
  expect(await register()).toMatchObject({ status: 'failed', errorCode: 400_004 });
  expect(twins(core)).toEqual([undefined, undefined]);
  expect(core.hubs.flatMap((hub) => hub.listDevices())).toEqual([]);
});

test('the hub a device left refuses the key it still has', async () => {
  const { core, enroll, register } = fixture();
  await enroll({ iotHubs: ['one'] });
  await register();
  await enroll({ iotHubs: ['two'] });
  await register();
  const answers = core.hubs.map(async (hub) => {
    const token = await sas({
      resource: `${hub.hostName}/devices/${registrationId}`,
      key,
      expiresAt: 1_800_000_000_000,
    });
    return hub.acceptEvent({ deviceId: registrationId, token, body: new Uint8Array() })?.code;
  });
  expect(await Promise.all(answers)).toEqual(['IotHubUnauthorizedAccess', undefined]);
});

test('a hub that is gone is no place to be: the device is assigned anew', async () => {
  const store = createMemoryStore();
  const first = fixture({ store, hubs: [hubs[0]] });
  await first.enroll({ allocationPolicy: 'hashed', reprovisionPolicy: never });
  expect(await first.register()).toMatchObject({ assignedHub: 'one.test:1' });
  const second = fixture({ store, hubs: [hubs[1]] });
  await second.enroll({ allocationPolicy: 'hashed', reprovisionPolicy: never });
  expect(await second.register()).toMatchObject({
    assignedHub: 'two.test:2',
    substatus: 'initialAssignment',
  });
});

test('a hub that comes back on another port is the same hub', async () => {
  const store = createMemoryStore();
  const first = fixture({ store });
  await first.enroll({ iotHubs: ['one'], reprovisionPolicy: never });
  await first.register();
  live(first.core);
  const moved = fixture({ store, hubs: [{ name: 'one', hostName: 'one.test:99' }, hubs[1]] });
  await moved.enroll({ iotHubs: ['one'], reprovisionPolicy: never });
  expect(await moved.register()).toMatchObject({
    assignedHub: 'one.test:99',
    substatus: 'initialAssignment',
  });
  expect(twins(moved.core)).toEqual([lived, undefined]);
});
