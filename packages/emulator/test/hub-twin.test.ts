/** Twins. Rules and figures follow the hub's documentation: merge with null removal, versions, name and size limits. */
import type { JsonObject, JsonValue } from '@endorse/interface';
import { expect, test } from 'vitest';
import { hubFixture } from './support/hub-fixture.ts';

test('a device that was written has an empty twin of version 1', () => {
  const { hub } = hubFixture();
  expect(hub.readTwin('Dev-1')).toMatchObject({
    version: 1,
    tags: {},
    desired: { properties: {}, version: 1 },
    reported: { properties: {}, version: 1 },
  });
  expect(hub.readTwin('dev-1')).toBeUndefined();
});

test.each<readonly [string, JsonObject, JsonObject, JsonObject]>([
  ['adds', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ['replaces', { a: 1 }, { a: 'x' }, { a: 'x' }],
  ['removes by null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
  ['ignores a null for what is not there', { a: 1 }, { b: null }, { a: 1 }],
  ['merges objects', { o: { a: 1, b: 2 } }, { o: { b: null, c: 3 } }, { o: { a: 1, c: 3 } }],
  ['puts an object in the place of a value', { o: 1 }, { o: { a: 1, b: null } }, { o: { a: 1 } }],
  ['puts a value in the place of an object', { o: { a: 1 } }, { o: false }, { o: false }],
  ['replaces arrays as a whole', { l: [1, 2] }, { l: [3] }, { l: [3] }],
])('a patch %s', (_title, before, patch, after) => {
  const { hub } = hubFixture();
  hub.patchTwin('Dev-1', 'desired', before);
  hub.patchTwin('Dev-1', 'desired', patch);
  expect(hub.readTwin('Dev-1')?.desired).toMatchObject({ properties: after, version: 3 });
  expect(hub.readTwin('Dev-1')?.desired.properties).toStrictEqual(after);
});

test('a member called __proto__ is a member like any other', () => {
  const { hub } = hubFixture();
  hub.patchTwin('Dev-1', 'tags', JSON.parse('{"__proto__": {"polluted": true}}') as JsonObject);
  expect(JSON.stringify(hub.readTwin('Dev-1')?.tags)).toBe('{"__proto__":{"polluted":true}}');
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('every part counts its own changes, the twin all of them', async () => {
  const { hub, clock, connect } = hubFixture();
  const { session } = await connect();
  await clock.advance(5);
  hub.patchTwin('Dev-1', 'desired', { a: 1 });
  session.patchReported({ b: 1 });
  session.patchReported({ b: 2 });
  hub.patchTwin('Dev-1', 'tags', { c: 1 });
  expect(session.readTwin()).toMatchObject({
    version: 5,
    desired: { version: 2, lastUpdatedAt: clock.now() },
    reported: { version: 3, properties: { b: 2 } },
    tags: { c: 1 },
  });
});

test('a device is told of desired properties once it asked, and of nothing else', async () => {
  const { hub, connect } = hubFixture();
  const { session, desired } = await connect();
  hub.patchTwin('Dev-1', 'desired', { before: 1 });
  session.setFeed('desired-properties', true);
  hub.patchTwin('Dev-1', 'desired', { interval: 5, old: null });
  hub.patchTwin('Dev-1', 'tags', { site: 'north' });
  hub.patchTwin('Dev-1', 'desired', { 'not allowed': 1 });
  session.setFeed('desired-properties', false);
  hub.patchTwin('Dev-1', 'desired', { after: 1 });
  expect(desired).toEqual([{ patch: { interval: 5, old: null }, version: 3 }]);
});

const deep = (levels: number): JsonValue => (levels === 0 ? 1 : { d: deep(levels - 1) });
const wide = (byteLength: number): JsonObject =>
  Object.fromEntries(Array.from({ length: byteLength / 1000 }, (_, at) => [`k${at}`, 'x'.repeat(991)]));

test.each<readonly [string, JsonValue, string]>([
  ['no object', [1], 'ArgumentInvalid'],
  ['a name with a dot', { 'a.b': 1 }, 'ArgumentInvalid'],
  ['a name with a dollar sign', { $version: 1 }, 'ArgumentInvalid'],
  ['a name with a space', { o: { 'a b': 1 } }, 'ArgumentInvalid'],
  ['a name with a control character', { 'a\u0007': 1 }, 'ArgumentInvalid'],
  ['an empty name', { '': 1 }, 'ArgumentInvalid'],
  ['a name beyond 1 KiB', { ['n'.repeat(1025)]: 1 }, 'ArgumentInvalid'],
  ['a string beyond 4 KiB', { a: 'ä'.repeat(2049) }, 'ArgumentInvalid'],
  ['an integer beyond the hub', { a: 4_503_599_627_370_496 }, 'ArgumentInvalid'],
  ['null in an array', { a: [1, null] }, 'ArgumentInvalid'],
  ['more than ten levels', { a: deep(10) }, 'ArgumentInvalid'],
  ['more than 32 KiB', wide(33_000), 'MessageTooLarge'],
])('reported properties with %s are refused and change nothing', async (_title, patch, code) => {
  const { hub, connect } = hubFixture();
  const { session } = await connect();
  const before = hub.readTwin('Dev-1');
  expect(session.patchReported(patch)).toMatchObject({ outcome: 'refused', fault: { code } });
  expect(hub.readTwin('Dev-1')).toEqual(before);
});

test('what the limits allow is taken', async () => {
  const { connect } = hubFixture();
  const { session } = await connect();
  const patch = {
    a: deep(9),
    n: -4_503_599_627_370_495,
    f: 0.5,
    s: 'ä'.repeat(2048),
    ['n'.repeat(1024)]: [],
  };
  expect(session.patchReported(patch).outcome).toBe('patched');
  expect(session.patchReported(wide(20_000)).outcome).toBe('patched');
});

test('a written twin starts anew, and a removed device takes its twin along', () => {
  const { hub } = hubFixture();
  hub.patchTwin('Dev-1', 'desired', { a: 1 });
  expect(hub.writeTwin('Dev-1', { desired: { b: 2 }, tags: { t: 1 } })).toMatchObject({
    outcome: 'patched',
    twin: { version: 1, tags: { t: 1 }, desired: { properties: { b: 2 }, version: 1 } },
  });
  expect(hub.writeTwin('Dev-1', { tags: { 'not allowed': 1 } })).toMatchObject({ outcome: 'refused' });
  expect(hub.readTwin('Dev-1')?.tags).toEqual({ t: 1 });
  expect([hub.removeDevice('Dev-1'), hub.removeDevice('Dev-1')]).toEqual([true, false]);
  expect(hub.readTwin('Dev-1')).toBeUndefined();
  expect(hub.writeTwin('Dev-1', {})).toMatchObject({ fault: { errorCode: 404_001 } });
  expect(hub.patchTwin('Dev-1', 'tags', {})).toMatchObject({ fault: { errorCode: 404_001 } });
});
