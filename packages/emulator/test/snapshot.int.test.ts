/** Everything as text and back: into the same emulator, into another one on other ports, and never by halves. */
import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { createSeededRandom, startEmulator } from '@endorse/emulator';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { expect, test } from 'vitest';
import { emulatorFixture, tpmDevice } from './support/http-client.ts';
import { matching } from './support/matchers.ts';
import { softwareTpm } from './support/software-tpm.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const hubs = [{ name: 'east' }, { name: 'west' }];

async function registered(options: EmulatorOptions = {}) {
  const fixture = await emulatorFixture({ hubs, ...options });
  const { emulator } = fixture;
  const { endorsementKey } = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId: 'dev', endorsementKey });
  await emulator.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant' });
  const device = tpmDevice(fixture, 'dev');
  const token = await device.solve(await device.requestChallenge());
  const operationId = String((await device.register(token)).json()['operationId']);
  const state = (await device.poll(token, operationId)).json()['registrationState'] as Record<
    string,
    unknown
  >;
  return { ...fixture, token, operationId, state, device };
}

/** The index of the hub a device was assigned to. */
function hubOf({ hubs: linked }: Emulator, { assignedHub }: Record<string, unknown>): string | undefined {
  return linked.find(({ hostName }) => hostName === assignedHub)?.name;
}

test('a snapshot in another emulator is the same service on other ports', async () => {
  await using before = await registered();
  const snapshot = await before.emulator.snapshot();
  const name = hubOf(before.emulator, before.state);
  await before.emulator.hubs.find((hub) => hub.name === name)?.operator.patchTags('dev', { floor: 3 });
  await using directory = await temporaryDirectory();
  await using after = await emulatorFixture({ hubs, dataDirectory: directory.path });
  await after.emulator.createSymmetricKeyEnrollment({ registrationId: 'not-in-it' });
  await after.emulator.restore(snapshot);

  const polled = await tpmDevice(after, 'dev').poll(before.token, before.operationId);
  const state = polled.json()['registrationState'] as Record<string, unknown>;
  expect(hubOf(after.emulator, state)).toBe(name);
  expect({ ...state, assignedHub: '' }).toEqual({ ...before.state, assignedHub: '' });
  const twin = await after.emulator.hubs.find((hub) => hub.name === name)?.operator.readTwin('dev');
  expect(twin?.tags).toEqual({});
  const gone = await after.sendAsOwner({ path: '/enrollments/not-in-it?api-version=2021-10-01' });
  expect(gone.status).toBe(404);
  const group = await after.sendAsOwner({ path: '/enrollmentGroups/plant?api-version=2021-10-01' });
  expect(group.status).toBe(200);
  // What was written later and read back is the same text again.
  await before.emulator.restore(snapshot);
  expect((await before.emulator.snapshot()).revealText()).toBe(snapshot.revealText());
});

test.each([
  ['that is none', () => 'hello', /no JSON object in line 1/],
  ['that is something else', () => '{"format":"x"}\n', /no snapshot of an emulator/],
  ['of a later version', (text: string) => text.replace('"version":1', '"version":2'), /version 2/],
  ['of another ID scope', (text: string) => text.replace('0ne00000000', '0neAAA'), /ID scope 0neAAA/],
  ['that is cut off', (text: string) => text.slice(0, text.lastIndexOf('{')), /cut off/],
  [
    'that lost a line',
    (text: string) => text.replace(/\n.*"caCertificates".*|\n.*"enrollments".*/, ''),
    /cut off/,
  ],
  [
    'with a hub that is not here',
    (text: string) =>
      text.replaceAll('"hub":"east"', '"hub":"north"').replaceAll('"hub":"west"', '"hub":"north"'),
    /hub north/,
  ],
])('a snapshot %s is refused and changes nothing', async (_title, spoil, problem) => {
  await using fixture = await registered();
  const text = (await fixture.emulator.snapshot()).revealText();
  await expect(fixture.emulator.restore(spoil(text))).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: matching(problem),
  });
  expect((await fixture.emulator.snapshot()).revealText()).toBe(text);
});

test('two runs with the same seed, clock and requests end in the same snapshot', async () => {
  // The hub key's blob names the hub with its port, so the second run listens where the first did.
  const run = async (options: Pick<EmulatorOptions, 'hubs'>) => {
    const random = createSeededRandom('run');
    await using fixture = await emulatorFixture({ random, clock: new VirtualClock(), ...options });
    const { emulator } = fixture;
    await emulator.createTpmEnrollment({
      registrationId: 'dev',
      endorsementKey: softwareTpm().endorsementKey,
    });
    await emulator.createSymmetricKeyEnrollment({ registrationId: 'other' });
    const device = tpmDevice(fixture, 'dev');
    const token = await device.solve(await device.requestChallenge(), 1_800_000_000_000);
    const { operationId } = (await device.register(token)).json();
    await device.poll(token, String(operationId));
    const ports = emulator.hubs.map(({ name, hostName }) => ({ name, port: Number(hostName.split(':')[1]) }));
    return { text: (await emulator.snapshot()).revealText(), ports };
  };
  const first = await run({ hubs });
  expect((await run({ hubs: first.ports })).text).toBe(first.text);
});

test('emulators in one process share nothing', async () => {
  const emulators = await Promise.all(Array.from({ length: 8 }, () => startEmulator({ hubs })));
  try {
    await Promise.all(
      emulators.map((emulator, index) =>
        emulator.createSymmetricKeyEnrollment({ registrationId: `dev-${index}` }),
      ),
    );
    for (const [index, emulator] of emulators.entries()) {
      const text = (await emulator.snapshot()).revealText();
      expect(text.match(/"id":"dev-\d"/g)).toEqual([`"id":"dev-${index}"`]);
    }
    const ports = emulators.flatMap(({ provisioningHost, hubs: linked }) => [
      provisioningHost,
      ...linked.map(({ hostName }) => hostName),
    ]);
    expect(new Set(ports).size).toBe(24);
  } finally {
    await Promise.all(emulators.map((emulator) => emulator.stop()));
  }
});
