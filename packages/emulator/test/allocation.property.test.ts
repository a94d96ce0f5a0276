/** The allocation policies as functions. What they have to do is in the service's documentation of its policies; how it hashes is not. */
import type { EnrollmentRecord, LinkedHub } from '@endorse/emulator/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocateByPolicy, findCandidates } from '../src/allocation/allocation.ts';
import { pickNearest } from '../src/allocation/geo-latency.ts';
import { pickHashed } from '../src/allocation/hashed.ts';
import { checkLinkedHubs } from '../src/allocation/linked-hub.ts';

const hub = (name: string, more: Partial<LinkedHub> = {}): LinkedHub => ({
  name,
  hostName: `${name}.test:1`,
  ...more,
});
const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 6 });
const ids = Array.from({ length: 4000 }, (_, index) => `device-${index}`);

test('hashed gives each hub its weight of the devices', () => {
  const hubs = [hub('one'), hub('two', { allocationWeight: 3 }), hub('three', { allocationWeight: 6 })];
  const counts = new Map<string, number>();
  for (const id of ids) {
    const name = pickHashed(id, hubs)?.name ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  // Four standard deviations of a binomial distribution; the hash is fixed, and so are the counts.
  for (const [name, share] of [
    ['one', 0.1],
    ['two', 0.3],
    ['three', 0.6],
  ] as const) {
    const deviation = Math.sqrt(ids.length * share * (1 - share));
    expect(Math.abs((counts.get(name) ?? 0) - ids.length * share)).toBeLessThan(4 * deviation);
  }
});

test('a hub that is added under hashed, or gains weight, takes devices, and none moves between the others', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 1000 }), fc.uuid(), (given, weight, id) => {
      const hubs = given.map((allocationWeight, index) => hub(`hub-${index}`, { allocationWeight }));
      const before = pickHashed(id, hubs);
      const after = pickHashed(id, [hub('added', { allocationWeight: weight }), ...hubs]);
      expect([before?.name, 'added']).toContain(after?.name);
      const [first, ...others] = hubs;
      if (first === undefined) return;
      const heavier = pickHashed(id, [{ ...first, allocationWeight: 1000 }, ...others]);
      expect([before?.name, first.name]).toContain(heavier?.name);
      expect(pickHashed(id.toUpperCase(), hubs.toReversed())).toEqual(before);
    }),
    { numRuns: 100 },
  );
});

test('geo-latency takes the nearest by the longest prefix that fits, and hashes among equals', () => {
  const east = hub('east', { latenciesMs: { '': 80, 'eu-': 120, 'us-': 20 } });
  const west = hub('west', { latenciesMs: { '': 80, 'EU-': 30, 'eu-special': 500 } });
  const unmeasured = hub('nowhere');
  const hubs = [unmeasured, east, west];
  expect(pickNearest('us-1', hubs)).toBe(east);
  expect(pickNearest('eu-1', hubs)).toBe(west);
  expect(pickNearest('EU-special-1', hubs)).toBe(east);
  expect(new Set(ids.slice(0, 64).map((id) => pickNearest(id, hubs)?.name))).toEqual(
    new Set(['east', 'west']),
  );
  expect(pickNearest('other-1', hubs)).toBe(pickHashed('other-1', [east, west]));
  // Nobody was measured: all are equal.
  expect(pickNearest('x', [unmeasured])).toBe(unmeasured);
  expect(pickNearest('x', [])).toBeUndefined();
});

const enrollment = (change: Partial<EnrollmentRecord>): EnrollmentRecord => ({
  registrationId: 'device-1',
  attestation: { type: 'symmetricKey' },
  etag: '',
  provisioningStatus: 'enabled',
  createdDateTimeUtc: '',
  ...change,
});

test.each([
  ['by iotHubHostName', { iotHubHostName: 'two.test:1', iotHubs: ['one.test:1'] }, 'two.test:1'],
  ['by the first of iotHubs', { iotHubs: ['two.test:1', 'one.test:1'] }, 'two.test:1'],
  ['by the name of the hub, in any case', { iotHubs: ['TWO'] }, 'two.test:1'],
  ['also where no policy may send anybody', { iotHubHostName: 'reserved' }, 'reserved.test:1'],
  ['nowhere without a hub', {}, undefined],
  ['nowhere to a hub that is not linked', { iotHubHostName: 'azure.example' }, undefined],
])('static sends a device %s', (_title, change, expected) => {
  const hubs = [hub('one'), hub('two'), hub('reserved', { applyAllocationPolicy: false })];
  const decision = allocateByPolicy('static', { registrationId: 'd', enrollment: enrollment(change) }, hubs);
  expect(decision).toMatchObject(
    expected === undefined ? { errorCode: 400_208 } : { iotHubHostName: expected },
  );
});

test('candidates are the hubs an enrollment names, else all that take part in the policies', () => {
  const [one, two, reserved] = [hub('one'), hub('two'), hub('reserved', { applyAllocationPolicy: false })];
  const hubs = [one, two, reserved];
  expect(findCandidates(enrollment({}), hubs)).toEqual([one, two]);
  expect(findCandidates(enrollment({ iotHubs: ['reserved', 'RESERVED.test:1', 'gone'] }), hubs)).toEqual([
    reserved,
  ]);
});

test.each([
  [[], 'ERR_OUT_OF_RANGE'],
  [[{ name: 'two words' }], 'ERR_INVALID_ARGUMENT'],
  [[{ name: 'a' }, { name: 'A' }], 'ERR_INVALID_ARGUMENT'],
  [[{ name: 'a', allocationWeight: 0 }], 'ERR_OUT_OF_RANGE'],
  [[{ name: 'a', allocationWeight: 1001 }], 'ERR_OUT_OF_RANGE'],
  [[{ name: 'a', latenciesMs: { '': -1 } }], 'ERR_OUT_OF_RANGE'],
])('hubs %j are refused with %s', (hubs, code) => {
  expect(() => checkLinkedHubs(hubs, 'options.hubs')).toThrow(expect.objectContaining({ code }) as Error);
});
