import { AzureTpmRegistration, fromAzureTransport } from '@endorse/azure-compat';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { register } from '@endorse/registration-core';
import { describe, expect, it } from 'vitest';
import {
  createCallbackClient,
  createCallbackTransport,
  recordCallback,
  registrationId,
  registrationResult,
  settle,
  target,
} from './support/callback-parts.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import type { Ending } from './support/official-shape.ts';
import {
  assignedJson,
  createOfficialShape,
  methodsOf,
  named,
  operationId,
} from './support/official-shape.ts';

const assigning: Ending = { result: { operationId, status: 'assigning' }, pollingInterval: 0 };
const device = { ...target, registrationId };

describe('a transport of the official shape', () => {
  it('is shown the token once, and the calls come in the order it needs', async () => {
    const theirs = createOfficialShape([assigning, assigning, { result: assignedJson }]);
    await register({
      ...target,
      transport: fromAzureTransport(() => theirs),
      securityClient: createFakeTpm(),
    });
    expect(methodsOf(theirs.calls)).toEqual([
      'setTpmInformation',
      'getAuthenticationChallenge',
      'respondToAuthenticationChallenge',
      'setTpmInformation',
      'registrationRequest',
      'queryOperationStatus',
      'queryOperationStatus',
      'disconnect',
    ]);
  });

  it('that makes up the status "registering" is asked again after the pause it gives', async () => {
    const clock = new VirtualClock();
    const busy: Ending = { result: { status: 'registering' }, pollingInterval: 7000 };
    const theirs = createOfficialShape([busy, { result: assignedJson }]);
    const startedAt = clock.now();
    const registering = register({
      ...target,
      transport: fromAzureTransport(() => theirs, { clock }),
      securityClient: createFakeTpm(),
      clock,
    });
    await settle();
    await clock.advance(6999);
    await settle();
    expect(methodsOf(theirs.calls).filter((method) => method === 'registrationRequest')).toHaveLength(1);
    await clock.advance(1);
    await settle();
    expect((await registering).status).toBe('assigned');
    expect(clock.now() - startedAt).toBe(7000);
  });

  it.each([
    [named('ThrottlingError'), 'ERR_SERVICE_THROTTLED', true],
    [named('IotHubQuotaExceededError'), 'ERR_SERVICE_THROTTLED', true],
    [named('ServiceUnavailableError'), 'ERR_SERVICE_UNAVAILABLE', true],
    [named('UnauthorizedError'), 'ERR_SERVICE_UNAUTHORIZED', false],
    [named('DeviceNotFoundError'), 'ERR_SERVICE_NOT_FOUND', false],
    [named('ArgumentError'), 'ERR_SERVICE_BAD_REQUEST', false],
    [named('Error', { response: { statusCode: 412 } }), 'ERR_SERVICE_PRECONDITION', false],
    [named('Error', { code: 5 }), 'ERR_SERVICE_UNAUTHORIZED', false],
    [named('Error', { code: 3 }), 'ERR_SERVICE_UNAVAILABLE', true],
    [named('Error', { code: 1 }), 'ERR_REMOTE_UNEXPECTED', false],
    [named('NotConnectedError'), 'ERR_TRANSPORT_LOST', true],
    [named('TimeoutError'), 'ERR_TRANSPORT_LOST', true],
    [named('Error', { code: 'ECONNRESET' }), 'ERR_TRANSPORT_LOST', true],
    [named('Error', { code: 'ECONNREFUSED' }), 'ERR_TRANSPORT_CONNECT', true],
    [named('Error', { code: 'ENOTFOUND' }), 'ERR_TRANSPORT_DNS', false],
    [named('Error', { code: 'EAI_AGAIN' }), 'ERR_TRANSPORT_DNS', true],
    [named('Error', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), 'ERR_TRANSPORT_TLS', false],
    [named('Error', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'ERR_TRANSPORT_TLS', false],
    [named('FormatError'), 'ERR_REMOTE_UNEXPECTED', false],
    ['just text', 'ERR_REMOTE_UNEXPECTED', false],
  ])('that fails with %s rejects with %s, retryable %s', async (error, code, retryable) => {
    const session = fromAzureTransport(() => createOfficialShape([{ error }])).openSession(device, {
      kind: 'tpm',
    });
    const { signal } = new AbortController();
    const failure: unknown = await session
      .register({ registrationInfo: { registrationId } }, { signal })
      .catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ code, retryable, cause: error });
    await session.close();
  });

  it('that fails with an HTTP answer tells what the service said, its code and the pause it asks for', async () => {
    const error = named('ThrottlingError', {
      response: { statusCode: 429, headers: { 'retry-after': '7', 'set-cookie': ['a', 'b'] } },
      responseBody: '{"errorCode":429001,"trackingId":"t","message":"too many devices"}',
    });
    const session = fromAzureTransport(() => createOfficialShape([{ error }])).openSession(device, {
      kind: 'tpm',
    });
    const { signal } = new AbortController();
    await expect(
      session.register({ registrationInfo: { registrationId } }, { signal }),
    ).rejects.toMatchObject({
      message: 'register: the service answered 429 (code 429001): too many devices',
      serviceCode: 429_001,
      trackingId: 't',
      retryAfterMs: 7000,
    });
    await session.close();
  });

  it.each([
    ['nothing', undefined, 'ERR_REMOTE_UNEXPECTED'],
    ['an unknown status', { status: 'confused', operationId }, 'ERR_REMOTE_UNEXPECTED'],
    ['no operation id', { status: 'assigning' }, 'ERR_REMOTE_MALFORMED'],
  ])('that calls back with %s is a broken peer', async (_what, result, code) => {
    const session = fromAzureTransport(() => createOfficialShape([{ result }])).openSession(device, {
      kind: 'tpm',
    });
    const { signal } = new AbortController();
    const registering = session.register({ registrationInfo: { registrationId } }, { signal });
    await expect(registering).rejects.toMatchObject({ code, fault: 'peer' });
    await session.close();
  });
});

describe('closing', () => {
  it('waits for cancel before it disconnects, and rejects the request in flight', async () => {
    let cancelled = (): void => undefined;
    const theirs = createOfficialShape([{ never: true }], { cancel: (done) => (cancelled = done) });
    const session = fromAzureTransport(() => theirs).openSession(device, { kind: 'tpm' });
    const { signal } = new AbortController();
    const registering = session.register({ registrationInfo: { registrationId } }, { signal });
    registering.catch(() => undefined);
    await settle();
    const closing = session.close();
    await settle();
    expect(methodsOf(theirs.calls).slice(-1)).toEqual(['cancel']);
    cancelled();
    await closing;
    expect(methodsOf(theirs.calls).slice(-2)).toEqual(['cancel', 'disconnect']);
    await expect(registering).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
    await expect(
      session.register({ registrationInfo: { registrationId } }, { signal }),
    ).rejects.toMatchObject({
      code: 'ERR_SESSION_CLOSED',
    });
    await session[Symbol.asyncDispose]();
    expect(methodsOf(theirs.calls).filter((method) => method === 'disconnect')).toHaveLength(1);
  });

  it('takes at most 5 s when disconnect never calls back, or throws', async () => {
    const clock = new VirtualClock();
    const deaf = createOfficialShape([], { disconnect: () => undefined });
    let closed = false;
    const closing = fromAzureTransport(() => deaf, { clock })
      .openSession(device, { kind: 'tpm' })
      .close()
      .then(() => (closed = true));
    await clock.advance(4999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    const throwing = createOfficialShape([], {
      disconnect: () => {
        throw new Error('disconnect threw');
      },
    });
    await fromAzureTransport(() => throwing, { clock })
      .openSession(device, { kind: 'tpm' })
      .close();
  });
});

describe('AzureTpmRegistration', () => {
  it('repeats nothing unless it is told to: one failure, one callback', async () => {
    const error = named('ThrottlingError');
    const theirs = createOfficialShape([{ error }, { result: assignedJson }]);
    const recorded = recordCallback();
    new AzureTpmRegistration(
      target.provisioningHost,
      target.idScope,
      theirs,
      createCallbackClient(),
    ).register(recorded.callback);
    expect((await recorded.called).error).toBe(error);
    expect(methodsOf(theirs.calls).filter((method) => method === 'registrationRequest')).toHaveLength(1);
  });

  it('repeats with `retry`', async () => {
    const theirs = createOfficialShape([{ error: named('ThrottlingError') }, { result: assignedJson }]);
    const registration = new AzureTpmRegistration(
      target.provisioningHost,
      target.idScope,
      theirs,
      createCallbackClient(),
      { retry: { maxRetries: 1, baseDelayMs: 1 } },
    );
    expect(await registration.register()).toEqual(assignedJson);
  });

  it('gives a callback transport the whole deadline for the one call in which it registers and polls', async () => {
    const clock = new VirtualClock();
    let finish = (): void => undefined;
    const transport = createCallbackTransport();
    transport.register = (_sasToken, _info, callback) => {
      finish = () => callback(null, registrationResult);
    };
    const registration = new AzureTpmRegistration(
      'dps.example.test',
      '0ne1',
      transport,
      createCallbackClient(),
      {
        clock,
      },
    );
    const registering = registration.register();
    await settle();
    await clock.advance(200_000);
    finish();
    expect(await registering).toBe(registrationResult);
  });
});

const { setTpmInformation: _keys, ...withoutTpm } = createOfficialShape([]);

it.each([
  ['no function', createOfficialShape([]), {}],
  ['a function that makes nothing', () => undefined, {}],
  ['a transport without a method', () => ({ cancel: () => undefined }), {}],
  ['a transport that carries no attestation', () => withoutTpm, {}],
  ['an unknown place of the challenge', () => createOfficialShape([]), { challenge: 'pigeon' }],
])('refuses %s', (_what, create, options) => {
  expect(() => fromAzureTransport(create as never, options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
  );
});

it.each([
  ['another kind', device, { kind: 'symmetric-key' }, 'ERR_UNSUPPORTED_CAPABILITY'],
  [
    'a host with a scheme',
    { ...device, provisioningHost: 'https://x.test' },
    { kind: 'tpm' },
    'ERR_INVALID_ARGUMENT',
  ],
  ['an unusable registration id', { ...device, registrationId: '' }, { kind: 'tpm' }, 'ERR_INVALID_ARGUMENT'],
] as const)('opens no session for %s', (_what, unusable, attestation, code) => {
  const transport = fromAzureTransport(() => createOfficialShape([]));
  expect(() => transport.openSession(unusable, attestation)).toThrow(expect.objectContaining({ code }));
});
