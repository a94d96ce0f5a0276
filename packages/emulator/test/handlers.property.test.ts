/**
 * Whatever arrives, a listener's handler answers with a documented status and a readable body: never a 5xx, never an
 * exception. The handlers are functions, so no socket is needed; the generators bend good requests, because pure noise
 * rarely gets past the path.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHubHandler } from '../src/listener/hub-handler.ts';
import type { HttpCall, HttpHandler } from '../src/listener/http-call.ts';
import { createServiceHandler } from '../src/listener/service-handler.ts';
import { coreFixture, keysOf, seededRandom } from './support/core-fixture.ts';
import { enrollment } from './support/service-fixture.ts';
import { sas, softwareTpm } from './support/software-tpm.ts';

const statuses = new Set([200, 202, 204, 400, 401, 404, 405, 409, 412, 413, 415]);

async function handlersFixture(): Promise<{
  readonly service: HttpHandler;
  readonly hub: HttpHandler;
  readonly tokens: readonly string[];
}> {
  const { core, clock, solveChallenge } = coreFixture();
  const stamps = { clock, random: seededRandom('stamps') };
  const [policy] = core.policies;
  const [hub] = core.hubs;
  if (hub === undefined) throw new Error('no hub');
  const key = policy.primaryKey.reveal();
  const owner = await sas({
    resource: 'localhost',
    key,
    keyName: policy.name,
    expiresAt: clock.now() + 1000,
  });
  return {
    service: createServiceHandler(core, stamps),
    hub: createHubHandler(core, hub, stamps),
    tokens: [await solveChallenge(), owner],
  };
}

const segment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '0ne00000000',
      'device-1',
      'registrations',
      'register',
      'operations',
      'enrollments',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'attestationmechanism',
      'devices',
      'messages',
      'events',
      '',
      '..',
      '%2e%2e',
      '%00',
    ),
  },
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const goodLines = [
  ['PUT', '/0ne00000000/registrations/device-1/register'],
  ['GET', '/0ne00000000/registrations/device-1/operations/5.x'],
  ['POST', '/0ne00000000/registrations/device-1'],
  ['PUT', '/enrollments/device-1'],
  ['GET', '/enrollments/device-1'],
  ['POST', '/enrollments/device-1/attestationmechanism'],
  ['GET', '/registrations/device-1'],
  ['PUT', '/enrollmentGroups/group-1'],
  ['GET', '/enrollmentGroups/group-1'],
  ['POST', '/enrollmentgroups/group-1/attestationmechanism'],
  ['POST', '/enrollments'],
  ['POST', '/enrollments/query'],
  ['POST', '/enrollmentGroups/'],
  ['POST', '/enrollmentGroups/query'],
  ['POST', '/registrations/group-1/query'],
  ['POST', '/devices/device-1/messages/events'],
] as const;
const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', '');
const path = fc.oneof(
  fc.constantFrom(...goodLines.map(([, good]) => good)),
  fc.array(segment, { maxLength: 7 }).map((all) => `/${all.join('/')}`),
);
const line = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...goodLines) }, fc.tuple(method, path));
const query = fc.oneof(
  { weight: 4, arbitrary: fc.constant('?api-version=2021-06-01') },
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => `?${text}`),
  fc.constant(''),
);
const { endorsementKey, storageRootKey } = keysOf(softwareTpm());
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const goodBodies = [
  {
    registrationId: 'device-1',
    tpm: { endorsementKey: base64(endorsementKey), storageRootKey: base64(storageRootKey) },
  },
  {
    ...enrollment({ registrationId: 'device-1' }),
    attestation: { type: 'tpm', tpm: { endorsementKey: base64(endorsementKey) } },
  },
  { enrollmentGroupId: 'group-1', attestation: { type: 'symmetricKey' } },
  { mode: 'create', enrollments: [{ registrationId: 'x', attestation: { type: 'symmetricKey' } }] },
  {
    mode: 'update',
    enrollmentGroups: [{ enrollmentGroupId: 'group-1', attestation: { type: 'symmetricKey' } }],
  },
  { query: "SELECT * FROM enrollments WHERE attestation.type = 'tpm'" },
].map((body) => JSON.stringify(body));

/** A good body with one stretch replaced. */
const bent = fc
  .record({
    body: fc.constantFrom(...goodBodies),
    at: fc.nat(1000),
    length: fc.nat(40),
    by: fc.string({ maxLength: 20 }),
  })
  .map(
    ({ body, at, length, by }) =>
      body.slice(0, at % body.length) + by + body.slice((at % body.length) + length),
  );

/** A good body with one TPM structure altered at one byte, so that it still is base64. */
const altered = fc
  .record({ at: fc.nat(315), by: fc.integer({ min: 1, max: 255 }), srk: fc.boolean() })
  .map(({ at, by, srk }) => {
    const keys = {
      endorsementKey: Uint8Array.from(endorsementKey),
      storageRootKey: Uint8Array.from(storageRootKey),
    };
    const key = srk ? keys.storageRootKey : keys.endorsementKey;
    key[at % key.byteLength] = (key[at % key.byteLength] ?? 0) ^ by;
    const tpm = { endorsementKey: base64(keys.endorsementKey), storageRootKey: base64(keys.storageRootKey) };
    return JSON.stringify({ registrationId: 'device-1', tpm, attestation: { type: 'tpm', tpm } });
  });

const body = fc.oneof(
  fc
    .oneof(bent, altered, fc.json(), fc.constantFrom(...goodBodies))
    .map((text) => Uint8Array.from(Buffer.from(text))),
  fc.uint8Array({ maxLength: 200 }),
  fc.constant(undefined),
);

/** Nothing but good parts, which still need not fit together. */
const plausible = (tokens: readonly string[]): fc.Arbitrary<HttpCall> =>
  fc
    .record({
      line: fc.constantFrom(...goodLines),
      authorization: fc.constantFrom(...tokens),
      body: fc.constantFrom(...goodBodies),
    })
    .map(({ line: [verb, where], authorization, body: text }) => ({
      method: verb,
      target: `${where}?api-version=2021-06-01`,
      headers: { authorization, 'content-type': 'application/json' },
      body: Uint8Array.from(Buffer.from(text)),
    }));

const call = (tokens: readonly string[]): fc.Arbitrary<HttpCall> =>
  fc.oneof(
    { weight: 1, arbitrary: plausible(tokens) },
    {
      weight: 9,
      arbitrary: fc
        .record({ line, query, headers: headers(tokens), body })
        .map(({ line: [verb, where], query: after, ...rest }) => ({
          method: verb,
          target: `${where}${after}`,
          ...rest,
        })),
    },
  );

const headers = (tokens: readonly string[]): fc.Arbitrary<HttpCall['headers']> =>
  fc.record(
    {
      'content-type': fc.oneof(
        { weight: 4, arbitrary: fc.constant('application/json; charset=utf-8') },
        fc.string({ unit: 'binary', maxLength: 30 }),
      ),
      'content-encoding': fc.constantFrom('utf-8', 'identity', 'br', ''),
      authorization: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...tokens) },
        fc.string({ unit: 'binary', maxLength: 100 }).map((text) => `SharedAccessSignature ${text}`),
        fc.string({ unit: 'binary', maxLength: 20 }),
      ),
      'if-match': fc.constantFrom('*', '"x"', '', 'W/', '"'),
      'x-ms-max-item-count': fc.constantFrom('1', '0', '-1', 'x', '99999999999'),
      'x-ms-continuation': fc.string({ maxLength: 20 }),
      'iothub-app-x': fc.string({ maxLength: 5 }),
      host: fc.string({ maxLength: 20 }),
    },
    { requiredKeys: [] },
  );

test('every request to the service gets a documented status and a body that says what it is', async () => {
  const { service, tokens } = await handlersFixture();
  const seen = new Set<number>();
  fc.assert(
    fc.property(call(tokens), (request) => {
      const answer = service.handle(request);
      expect(statuses).toContain(answer.status);
      seen.add(answer.status);
      expect(answer.headers.length % 2).toBe(0);
      const parsed: unknown = answer.status === 204 ? {} : JSON.parse(answer.body);
      const isFault = answer.status >= 400 && !Object.hasOwn(parsed as object, 'authenticationKey');
      if (isFault) expect(Math.floor((parsed as { errorCode: number }).errorCode / 1000)).toBe(answer.status);
    }),
    { numRuns: 2000 },
  );
  // The generator has to get past the doors it knocks at.
  for (const status of [200, 400, 401, 404, 405, 415]) expect(seen).toContain(status);
});

test('every request to the hub gets a documented status and an error in the shape of the hub', async () => {
  const { hub, tokens } = await handlersFixture();
  fc.assert(
    fc.property(call(tokens), (request) => {
      const answer = hub.handle(request);
      expect([204, 400, 401, 404, 405, 413]).toContain(answer.status);
      if (answer.status !== 204) expect(JSON.parse(answer.body)).toHaveProperty('Message');
    }),
    { numRuns: 500 },
  );
});
