/** What a strict emulator refuses and a loose one takes: each row is a point in which the service's documentation and the service differ, or are silent. */
import { startEmulator } from '@endorse/emulator';
import { expect, test } from 'vitest';
import { emulatorFixture } from './support/http-client.ts';
import { matching } from './support/matchers.ts';

const attestation = { type: 'symmetricKey' };
const key = { registrationId: 'dev', attestation };

test.each<[string, string, object, string, RegExp]>([
  ['an unpublished api-version', 'dev', key, '2022-02-22', /none of .*2021-10-01/],
  [
    'an id that ends with a hyphen',
    'dev-',
    { ...key, registrationId: 'dev-' },
    '2021-10-01',
    /begin and end/,
  ],
  ['an unknown member', 'dev', { ...key, colour: 'red' }, '2021-10-01', /no member colour/],
  [
    'a hub that is not linked',
    'dev',
    { ...key, iotHubs: ['gone.example'] },
    '2021-10-01',
    /gone\.example is not linked/,
  ],
  ['static without a hub', 'dev', { ...key, allocationPolicy: 'static' }, '2021-10-01', /names no hub/],
])('%s is taken by a loose emulator, refused by a strict one', async (_title, id, body, version, reason) => {
  const put = async (strictness: 'loose' | 'strict', path: string, value: object) => {
    await using fixture = await emulatorFixture({ strictness });
    return await fixture.sendAsOwner({
      method: 'PUT',
      path: `${path}?api-version=${version}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
  };
  const { registrationId: enrollmentGroupId, ...rest } = body as typeof key;
  for (const [path, value] of [
    [`/enrollments/${id}`, body],
    [`/enrollmentGroups/${id}`, { enrollmentGroupId, ...rest }],
  ] as const) {
    expect((await put('loose', path, value)).status).toBe(200);
    const refused = await put('strict', path, value);
    expect([refused.status, refused.json()['info']]).toEqual([400, { reason: matching(reason) }]);
  }
});

test('devices, too, come with a published api-version', async () => {
  await using fixture = await emulatorFixture({ strictness: 'strict' });
  const path = `/${fixture.emulator.idScope}/registrations/dev/register?api-version=2022-02-22`;
  expect((await fixture.send({ method: 'PUT', path, body: '{}' })).status).toBe(400);
});

test('a client from before reprovisioning policies gets the one it knew: devices stay', async () => {
  await using fixture = await emulatorFixture();
  const put = async (version: string) => {
    const answer = await fixture.sendAsOwner({
      method: 'PUT',
      path: `/enrollments/dev?api-version=${version}`,
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: JSON.stringify(key),
    });
    return answer.json()['reprovisionPolicy'];
  };
  await fixture.emulator.createSymmetricKeyEnrollment({ registrationId: 'dev' });
  expect(await put('2018-04-01')).toEqual({ updateHubAssignment: false, migrateDeviceData: false });
  expect(await put('2019-03-31')).toEqual({ updateHubAssignment: true, migrateDeviceData: true });
});

test('there is nothing between loose and strict', async () => {
  await expect(startEmulator({ strictness: 'picky' as 'strict' })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
    message: matching(/options\.strictness must be one of loose, strict/),
  });
});
