/**
 * Oracle: the requests and replies of the Provisioning Client requirements (azure-iot-sdk-c
 * 004d0112f, prov_device_client_requirements.md), with the quotes its own JSON lacks in one place; for
 * progress URLs the resolution rules of RFC 3986.
 */
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import type { HttpResponse } from '@endorse/protocol';
import {
  decodeDrsConfirmation,
  decodeDrsConfirmationReply,
  decodeDrsOperation,
  decodeDrsProgress,
  decodeDrsProgressReply,
  decodeDrsRegisterBody,
  decodeDrsRegisterReply,
  encodeDrsChallenge,
  encodeDrsConfirmationHttpRequest,
  encodeDrsOperation,
  encodeDrsOperationTarget,
  encodeDrsProgress,
  encodeDrsProgressHttpRequest,
  encodeDrsProgressUrl,
  encodeDrsRegisterHttpRequest,
  encodeDrsTrustConfirmationTarget,
  joinActivationBlob,
  joinCredentialNonceBlob,
  parseDrsTarget,
  resolveDrsProgressTarget,
  splitNonceBlob,
  tryDecodeDrsChallenge,
} from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const endorsementKey = Uint8Array.of(0, 1, 2, 3);
const options = { attempted: 'register my-device-1', nowMs: 1_700_000_000_000 };

function answer(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, body: new TextEncoder().encode(text) };
}

describe('requests', () => {
  test('register-me is the one of the requirements', () => {
    const request = encodeDrsRegisterHttpRequest({ registrationId: 'my-device-1', endorsementKey });
    expect(request).toEqual({
      method: 'POST',
      target: '/drs/registrations/my-device-1/register-me?api-version=2017-08-31-preview',
      headers: { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' },
      body: '{"registrationId":"my-device-1","attestation":{"tpm":{"endorsementKey":"AAECAw=="}},"properties":null}',
    });
    expect(parseDrsTarget(request.method, request.target)).toEqual({
      kind: 'register',
      registrationId: 'my-device-1',
      apiVersion: '2017-08-31-preview',
    });
    expect(decodeDrsRegisterBody(request.body ?? '')).toEqual({
      registrationId: 'my-device-1',
      endorsementKey,
    });
  });

  test('register-me carries properties when there are some', () => {
    const properties = { colour: 'blue' };
    const { body = '' } = encodeDrsRegisterHttpRequest({ registrationId: 'd', endorsementKey, properties });
    expect(decodeDrsRegisterBody(body)).toMatchObject({ properties });
  });

  test('trust-confirmation is the one of the requirements', () => {
    const nonce = Secret.fromText('decrypted_nonce');
    const request = encodeDrsConfirmationHttpRequest({ registrationId: 'd', correlationId: 'c-1', nonce });
    expect(request).toMatchObject({
      method: 'POST',
      target: '/drs/trust-confirmation/d?api-version=2017-08-31-preview',
      body: '{"correlationId":"c-1","nonce":"ZGVjcnlwdGVkX25vbmNl"}',
    });
    expect(parseDrsTarget('POST', request.target)).toMatchObject({ kind: 'trust-confirmation' });
    const decoded = decodeDrsConfirmation(request.body ?? '');
    expect([decoded.correlationId, decoded.nonce.revealText()]).toEqual(['c-1', 'decrypted_nonce']);
  });

  test('progress is a GET without a body', () => {
    expect(encodeDrsProgressHttpRequest('/drs/x?api-version=v')).toEqual({
      method: 'GET',
      target: '/drs/x?api-version=v',
      headers: { accept: 'application/json' },
    });
  });

  test('ids are percent-encoded in targets and come back as they were', () => {
    const registrationId = 'device:1';
    const target = encodeDrsOperationTarget({
      registrationId,
      operationId: 'a/b?c',
      apiVersion: '2019-01-31',
    });
    expect(target).toBe('/drs/registrations/device%3A1/operations/a%2Fb%3Fc?api-version=2019-01-31');
    expect(parseDrsTarget('GET', target)).toEqual({
      kind: 'operation',
      registrationId,
      operationId: 'a/b?c',
      apiVersion: '2019-01-31',
    });
  });

  test.each([
    ['/', undefined],
    ['/drs', undefined],
    ['/drs/registrations/d', undefined],
    ['/drs/registrations/d/unregister-me?api-version=2017-08-31-preview', undefined],
    ['/drs/trust-confirmation/d/x?api-version=2017-08-31-preview', undefined],
    ['/drs/trust-confirmation/d', 'api-version'],
    ['/drs/trust-confirmation/%20?api-version=2017-08-31-preview', 'registrationId'],
    ['/drs/registrations/d/operations/%20?api-version=2017-08-31-preview', 'operationId'],
  ])('the target %s is refused at %s', (target, path) => {
    const method = target.includes('operations') ? 'GET' : 'POST';
    if (path === undefined) expect(parseDrsTarget(method, target)).toBeUndefined();
    else expect(thrownBy(() => parseDrsTarget(method, target))).toMatchObject({ evidence: { path } });
  });

  test('the wrong method is told apart from the wrong path', () => {
    const target = encodeDrsTrustConfirmationTarget({ registrationId: 'd' });
    expect(thrownBy(() => parseDrsTarget('GET', target))).toMatchObject({
      code: 'ERR_REMOTE_UNEXPECTED',
      evidence: { path: 'method' },
    });
  });

  test.each([
    [() => encodeDrsRegisterHttpRequest({ registrationId: '', endorsementKey }), 'ERR_INVALID_ARGUMENT'],
    [
      () => encodeDrsRegisterHttpRequest({ registrationId: 'd', endorsementKey: new Uint8Array(2) }),
      'ERR_OUT_OF_RANGE',
    ],
    [
      () =>
        encodeDrsConfirmationHttpRequest({
          registrationId: 'd',
          correlationId: 'c',
          nonce: Secret.fromText(''),
        }),
      'ERR_OUT_OF_RANGE',
    ],
    [() => encodeDrsChallenge({ correlationId: '', nonce: endorsementKey }), 'ERR_INVALID_ARGUMENT'],
    [() => encodeDrsProgressUrl(''), 'ERR_INVALID_ARGUMENT'],
    [() => encodeDrsProgress({ status: 'assigned', iotHubUrl: '' }), 'ERR_INVALID_ARGUMENT'],
  ])('an unusable argument is refused before anything is written (%#)', (action, code) => {
    expect(thrownBy(action)).toMatchObject({ code });
  });
});

describe('the answer to register-me', () => {
  test.each([200, 202, 226])('with %i is an operation', (status) => {
    const text = encodeDrsOperation({ operationId: '<operation_id>' });
    expect(text).toBe('{"operationId":"<operation_id>","status":"assigning"}');
    expect(decodeDrsRegisterReply(answer(status, text), options)).toEqual({
      kind: 'operation',
      operationId: '<operation_id>',
    });
  });

  test('may name a progress URL and a pause', () => {
    const text = encodeDrsOperation({ operationId: 'o', progressUrl: '/p' });
    const headers = { 'content-type': 'application/json', 'retry-after': '3' };
    expect(decodeDrsRegisterReply(answer(200, text, headers), options)).toEqual({
      kind: 'operation',
      operationId: 'o',
      progressUrl: '/p',
      retryAfterMs: 3000,
    });
  });

  test.each(['nonce', 'authenticationKey'])(
    'with 401 is a challenge, its nonce under the name %s',
    (name) => {
      const reply = decodeDrsRegisterReply(answer(401, { correlationId: 'c', [name]: 'AAEC' }), options);
      expect(reply).toEqual({ kind: 'challenge', correlationId: 'c', nonce: Uint8Array.of(0, 1, 2) });
    },
  );

  test('with 401 and an error body is a refusal, not a broken challenge', () => {
    const refusal = answer(401, { errorCode: 401_002, message: 'Unauthorized' });
    expect(thrownBy(() => decodeDrsRegisterReply(refusal, options))).toMatchObject({
      code: 'ERR_SERVICE_UNAUTHORIZED',
      serviceCode: 401_002,
    });
  });

  test.each([
    [401, { correlationId: 'c' }],
    [401, { nonce: 'AAEC' }],
    [401, { correlationId: 'c', nonce: '!' }],
    [401, { correlationId: 7, nonce: 'AAEC' }],
    [200, { operationId: 'o' }],
    [200, { operationId: '', status: 'assigning' }],
    [200, { operationId: 7, status: 'assigning' }],
    [200, { operationId: '..', status: 'assigning' }],
    [200, { status: 'assigning' }],
    [200, { operationId: 'o', status: 'assigned' }],
    [200, { operationId: 'o', status: 'assigning', progressUrl: 7 }],
    [200, []],
    [200, 'not JSON'],
    [200, ''],
  ])('%i %j is malformed', (status, body) => {
    expect(thrownBy(() => decodeDrsRegisterReply(answer(status, body), options))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });

  test.each([
    [301, 'ERR_REMOTE_REDIRECT'],
    [403, 'ERR_SERVICE_FORBIDDEN'],
    [503, 'ERR_SERVICE_UNAVAILABLE'],
    [100, 'ERR_REMOTE_UNEXPECTED'],
  ])('with %i is %s', (status, code) => {
    expect(thrownBy(() => decodeDrsRegisterReply(answer(status, {}), options))).toMatchObject({ code });
  });

  test.each([200, 401])('with %i and another content type is refused', (status) => {
    const page = answer(status, '{}', { 'content-type': 'text/html' });
    expect(thrownBy(() => decodeDrsRegisterReply(page, options))).toMatchObject({
      code: 'ERR_REMOTE_CONTENT_TYPE',
    });
  });
});

describe('the answer to a trust confirmation', () => {
  test('is a progress URL; what stands beside it is ignored', () => {
    expect(JSON.parse(encodeDrsProgressUrl('/p'))).toEqual({ progressUrl: '/p' });
    const reply = decodeDrsConfirmationReply(answer(200, { progressUrl: '/p', more: 1 }), options);
    expect(reply).toEqual({ progressUrl: '/p' });
  });

  test.each([{}, { progressUrl: '' }, { progressUrl: null }, { progressUrl: 7 }])(
    '%j is malformed',
    (body) => {
      expect(thrownBy(() => decodeDrsConfirmationReply(answer(200, body), options))).toMatchObject({
        code: 'ERR_REMOTE_MALFORMED',
        evidence: { path: '$.progressUrl' },
      });
    },
  );
});

describe('progress', () => {
  test('that names a hub is an assignment', () => {
    expect(encodeDrsProgress({ status: 'assigned', iotHubUrl: '<iothub_url>' })).toBe(
      '{"IotHubUrl":"<iothub_url>"}',
    );
    const whole = {
      status: 'assigned',
      iotHubUrl: 'hub.example.test:8443',
      deviceId: 'd',
      authenticationKey: Uint8Array.of(9),
    } as const;
    expect(decodeDrsProgress(encodeDrsProgress(whole))).toEqual(whole);
  });

  test.each([
    [202, 'no JSON at all'],
    [202, {}],
    [200, { status: 'assigning' }],
  ])('%i %j is still assigning', (status, body) => {
    const headers = { 'content-type': 'application/json', 'retry-after': '2' };
    expect(decodeDrsProgressReply(answer(status, body, headers), options)).toEqual({
      progress: { status: 'assigning' },
      retryAfterMs: 2000,
    });
  });

  test.each(['failed', 'disabled'] as const)('%s says why', (status) => {
    const failed = { status, errorCode: 400_208, errorMessage: 'no hub' } as const;
    expect(decodeDrsProgress(encodeDrsProgress(failed))).toEqual(failed);
  });

  test.each([
    {},
    { status: 'assigned' },
    { status: 7 },
    { IotHubUrl: '' },
    { IotHubUrl: 7 },
    { IotHubUrl: 'h u b' },
    { IotHubUrl: 'h', deviceId: 7 },
    { IotHubUrl: 'h', tpm: { authenticationKey: '!' } },
  ])('%j is malformed', (body) => {
    expect(thrownBy(() => decodeDrsProgressReply(answer(200, body), options))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });
});

describe('progress URLs', () => {
  const origin = 'https://dps.example.test:8443';

  test.each([
    ['/p/1', '/p/1?api-version=2017-08-31-preview'],
    ['/p/1?', '/p/1?api-version=2017-08-31-preview'],
    ['/p?a=1', '/p?a=1&api-version=2017-08-31-preview'],
    ['/p?api-version=2020-01-01&a=1', '/p?api-version=2020-01-01&a=1'],
    ['https://dps.example.test:8443/p', '/p?api-version=2017-08-31-preview'],
    ['HTTPS://DPS.example.test:8443/p#fragment', '/p?api-version=2017-08-31-preview'],
    ['//dps.example.test:8443/p', '/p?api-version=2017-08-31-preview'],
    ['/a/../p', '/p?api-version=2017-08-31-preview'],
    ['p', '/p?api-version=2017-08-31-preview'],
  ])('%s leads to %s', (progressUrl, target) => {
    expect(resolveDrsProgressTarget(progressUrl, { origin })).toBe(target);
  });

  test('the usual port needs no mention', () => {
    const usual = { origin: 'https://dps.example.test', apiVersion: '2018-11-01' };
    expect(resolveDrsProgressTarget('https://dps.example.test:443/p', usual)).toBe(
      '/p?api-version=2018-11-01',
    );
  });

  test.each([
    'http://dps.example.test:8443/p',
    'https://dps.example.test/p',
    'https://dps.example.test:8444/p',
    'https://evil.example.test:8443/p',
    '//evil.example.test/p',
    'https://dps.example.test:8443@evil.example.test/p',
    'https://user@dps.example.test:8443/p',
    'file:///etc/passwd',
    'data:,x',
  ])('%s leads away and is not followed', (progressUrl) => {
    expect(thrownBy(() => resolveDrsProgressTarget(progressUrl, { origin }))).toMatchObject({
      code: 'ERR_REMOTE_REDIRECT',
    });
  });

  test.each(['https://', '/a b', '/a\tb', '\\\\evil.example.test\\p', '/ü'])(
    '%j is no URL',
    (progressUrl) => {
      expect(thrownBy(() => resolveDrsProgressTarget(progressUrl, { origin }))).toMatchObject({
        code: 'ERR_REMOTE_MALFORMED',
      });
    },
  );

  test('one that makes too long a target is refused', () => {
    expect(thrownBy(() => resolveDrsProgressTarget(`/${'p'.repeat(4096)}`, { origin }))).toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  });
});

describe('nonce blobs', () => {
  const part = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(1);
  const activation = {
    // An integrity digest comes first in the one, the type of a keyed-hash object in the other.
    idObject: Uint8Array.of(0, 32, ...part(50)),
    encryptedSecret: part(256),
    duplicate: part(142),
    encryptedSeed: part(256),
    publicArea: Uint8Array.of(0, 8, ...part(46)),
  };

  test.each([
    [part(33), { encryptedNonce: part(33) }],
    [part(0), {}],
  ])('with six parts hold the nonce in the last, unless that is empty (%#)', (encryptedUri, nonce) => {
    const { idObject, encryptedSecret } = activation;
    const blob = joinActivationBlob({ ...activation, encryptedUri });
    expect(splitNonceBlob(blob)).toEqual({ idObject, encryptedSecret, ...nonce });
  });

  test('with two parts are a credential', () => {
    const parts = { idObject: new Uint8Array(52).fill(1), encryptedSecret: new Uint8Array(256).fill(2) };
    const blob = joinCredentialNonceBlob(parts);
    expect([...blob.subarray(0, 3), ...blob.subarray(54, 57)]).toEqual([0, 52, 1, 1, 0, 2]);
    expect(splitNonceBlob(blob)).toEqual(parts);
  });

  test.each([
    [new Uint8Array(0)],
    [Uint8Array.of(0, 1)],
    [new Uint8Array(4)],
    [
      joinCredentialNonceBlob({ idObject: Uint8Array.of(1), encryptedSecret: Uint8Array.of(2) }).subarray(
        0,
        5,
      ),
    ],
    [new Uint8Array(9000)],
  ])('that are nothing of the kind are refused (%#)', (blob) => {
    expect((thrownBy(() => splitNonceBlob(blob)) as { code: string }).code).toMatch(/^ERR_REMOTE_/);
  });

  test('that do not fit cannot be made', () => {
    expect(
      thrownBy(() =>
        joinCredentialNonceBlob({ idObject: new Uint8Array(133), encryptedSecret: Uint8Array.of(2) }),
      ),
    ).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });
});

test('decoders take what encoders make', () => {
  expect(decodeDrsOperation(encodeDrsOperation({ operationId: 'o', progressUrl: '/p' }))).toEqual({
    operationId: 'o',
    progressUrl: '/p',
  });
  const challenge = { correlationId: 'c', nonce: Uint8Array.of(1, 2) };
  expect(tryDecodeDrsChallenge(encodeDrsChallenge(challenge))).toEqual(challenge);
});
