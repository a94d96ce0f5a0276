/**
 * Every error code the service is known by, with the request that brings it and the status that goes with it. Oracle: the
 * service's documentation and the codes that its users report.
 */
import type { CollectionRequest } from '@endorse/emulator/core';
import { describe, expect, test } from 'vitest';
import { expectOutcome } from './support/core-fixture.ts';
import type { ServiceCall } from './support/handler-fixture.ts';
import { handlerFixture } from './support/handler-fixture.ts';
import { softwareTpm } from './support/software-tpm.ts';

const endorsementKey = Buffer.from(softwareTpm().endorsementKey).toString('base64');
const tpm = { type: 'tpm', tpm: { endorsementKey } };

describe('a request', () => {
  const body = { registrationId: 'r', attestation: tpm };
  const good: ServiceCall = { method: 'PUT', target: '/enrollments/r', body };

  test.each<readonly [string, ServiceCall, number, number]>([
    ['without an api-version', { target: '/enrollments/device-1?x=1' }, 400, 400_000],
    [
      'with an api-version that is none',
      { target: '/enrollments/device-1?api-version=latest' },
      400,
      400_000,
    ],
    ['with bad percent-encoding', { target: '/enrollments/%zz' }, 400, 400_000],
    ['with a body that is no JSON', { ...good, body: '{' }, 400, 400_004],
    ['with a body that is no object', { ...good, body: '[]' }, 400, 400_004],
    ['without a body', { method: 'PUT', target: '/enrollments/r' }, 400, 400_004],
    ['for another id than the one in the body', { ...good, target: '/enrollments/other' }, 400, 400_004],
    ['without a token', { ...good, headers: { authorization: '' } }, 401, 401_002],
    ['with a token that is none', { ...good, headers: { authorization: 'Bearer x' } }, 401, 401_002],
    ['for an enrollment that is not there', { target: '/enrollments/none' }, 404, 404_201],
    [
      'for the mechanism of an enrollment that is not there',
      { method: 'POST', target: '/enrollments/none/attestationmechanism' },
      404,
      404_201,
    ],
    ['for a registration that is not there', { target: '/registrations/device-1' }, 404, 404_202],
    ['for the registration of nobody', { target: '/registrations/none' }, 404, 404_201],
    ['for a group that is not there', { target: '/enrollmentGroups/none' }, 404, 404_204],
    [
      'for the registrations of a group that is not there',
      { method: 'POST', target: '/registrations/none/query' },
      404,
      404_204,
    ],
    ['for a path that is not there', { target: '/enrollments/a/b/c' }, 404, 404_000],
    ['with the wrong method', { method: 'PATCH', target: '/enrollments/r' }, 405, 405_000],
    ['that gets a collection', { target: '/enrollments' }, 405, 405_000],
    [
      'to create what exists',
      { ...good, target: '/enrollments/device-1', body: { ...body, registrationId: 'device-1' } },
      409,
      409_000,
    ],
    [
      'with a stale etag',
      {
        ...good,
        target: '/enrollments/device-1',
        body: { ...body, registrationId: 'device-1' },
        headers: { 'if-match': '"x"' },
      },
      412,
      412_000,
    ],
    ['with an etag for what is not there', { ...good, headers: { 'if-match': '"x"' } }, 412, 412_000],
    ['in another media type', { ...good, headers: { 'content-type': 'text/plain' } }, 415, 415_000],
    ['in another encoding', { ...good, headers: { 'content-encoding': 'gzip' } }, 415, 415_000],
    [
      'in bulk of eleven',
      {
        method: 'POST',
        target: '/enrollments',
        body: { mode: 'create', enrollments: Array.from({ length: 11 }, () => body) },
      },
      400,
      400_004,
    ],
    [
      'in bulk without a mode',
      { method: 'POST', target: '/enrollments', body: { enrollments: [body] } },
      400,
      400_004,
    ],
    [
      'to query what is no collection',
      { method: 'POST', target: '/enrollments/query', body: { query: 'SELECT * FROM x' } },
      400,
      400_004,
    ],
  ])('%s', async (_title, request, status, errorCode) => {
    const { call } = handlerFixture();
    expect(await call(request)).toMatchObject({ status, json: { errorCode } });
  });

  test('a store that fails is 500, and the emulator lives', async () => {
    const { call, core } = handlerFixture({ allocate: () => ({ iotHubHostName: 'hub.endorse.test' }) });
    const broken = {
      ...core.collections,
      handle: (_request: CollectionRequest) => {
        throw new Error('disk full');
      },
    };
    Object.assign(core, { collections: broken });
    const answer = await call({ method: 'POST', target: '/enrollments/query', body: {} });
    expect(answer).toMatchObject({ status: 500, json: { errorCode: 500_000 } });
    expect((await call({ target: '/enrollments/device-1' })).status).toBe(200);
  });
});

describe('a registration that fails', () => {
  test.each<readonly [string, Parameters<typeof handlerFixture>[0], number]>([
    [
      'because the allocation threw',
      {
        allocate: () => {
          throw new Error('no');
        },
      },
      400_207,
    ],
    [
      'because no hub was chosen that is linked',
      { allocate: () => ({ iotHubHostName: 'elsewhere' }) },
      400_208,
    ],
    [
      'because the service may not use the hub',
      { allocate: () => ({ errorCode: 400_209, errorMessage: 'Unauthorized' }) },
      400_209,
    ],
  ])('%s', async (_title, options, errorCode) => {
    const { core, identity, solveChallenge } = handlerFixture(options);
    const credential = { kind: 'token', token: await solveChallenge() } as const;
    const { operation } = expectOutcome(core.register({ ...identity, credential }), 'operation');
    const { operationId } = operation;
    const poll = core.queryOperation({ ...identity, credential, operationId });
    expect(expectOutcome(poll, 'operation').operation).toMatchObject({
      status: 'failed',
      registrationState: { status: 'failed', errorCode },
    });
  });
});
