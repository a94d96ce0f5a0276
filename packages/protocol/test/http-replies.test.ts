/** Oracle: answers of the shapes in real service logs (vectors/bodies.json), and the acceptance rules of the official clients. */
import { Secret, isEndorseError } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import {
  decodeChallengeReply,
  decodeRegistrationReply,
  decodeStatusLookupReply,
  encodeChallengeHttpRequest,
  encodeOperationStatusHttpRequest,
  encodeRegisterHttpRequest,
  encodeStatusLookupHttpRequest,
  isJsonContentType,
  toServiceError,
  type HttpResponse,
} from '@endorse/protocol';
import { readVectors, thrownBy } from './vectors.ts';

const bodies = readVectors('bodies') as Readonly<Record<string, string>>;
const options = { attempted: 'register my-device-1', nowMs: 1_700_000_000_000 };
const jsonHeaders = { 'content-type': 'application/json; charset=utf-8' };

function answer(
  status: number,
  body = '',
  headers: Readonly<Record<string, string>> = jsonHeaders,
): HttpResponse {
  return { status, headers, body: new TextEncoder().encode(body) };
}

describe('requests', () => {
  const device = { idScope: 'scope', registrationId: 'r' };
  const endorsementKey = new Uint8Array(316);
  const storageRootKey = new Uint8Array(284);
  const sasToken = Secret.fromText('SharedAccessSignature sr=x');

  test('a challenge is asked for without a token', () => {
    const request = encodeChallengeHttpRequest(
      { ...device, provisioningHost: 'host', endorsementKey, storageRootKey, payload: { a: 1 } },
      { userAgent: 'endorse' },
    );
    expect(request).toMatchObject({
      method: 'PUT',
      target: '/scope/registrations/r/register?api-version=2021-06-01',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'endorse',
      },
    });
    expect(request.headers).not.toHaveProperty('authorization');
    expect(JSON.parse(request.body ?? '')).toMatchObject({ registrationId: 'r', payload: { a: 1 } });
  });

  test('a registration carries the token verbatim', () => {
    const registrationInfo = { registrationId: 'r', endorsementKey, storageRootKey, forceRegistration: true };
    const request = encodeRegisterHttpRequest(
      'scope',
      { sasToken, registrationInfo },
      { apiVersion: '2019-03-31' },
    );
    expect(request.target).toBe(
      '/scope/registrations/r/register?api-version=2019-03-31&forceRegistration=true',
    );
    expect(request.headers).toMatchObject({ authorization: 'SharedAccessSignature sr=x' });
    expect(Object.keys(JSON.parse(request.body ?? '') as object)).toEqual(['registrationId', 'tpm']);
  });

  test('a poll has no body, a status lookup names the device', () => {
    const poll = encodeOperationStatusHttpRequest('scope', {
      registrationId: 'r',
      operationId: 'op',
      sasToken,
    });
    expect(poll).toEqual({
      method: 'GET',
      target: '/scope/registrations/r/operations/op?api-version=2021-06-01',
      headers: { accept: 'application/json', authorization: 'SharedAccessSignature sr=x' },
    });
    expect(encodeStatusLookupHttpRequest({ ...device, sasToken })).toMatchObject({
      method: 'POST',
      target: '/scope/registrations/r?api-version=2021-06-01',
      body: '{"registrationId":"r"}',
    });
  });
});

describe('registration reply', () => {
  test.each([200, 202])('%i is read, with the pause the service asks for', (status) => {
    const response = answer(status, bodies['accepted'], { ...jsonHeaders, 'retry-after': '3' });
    expect(decodeRegistrationReply(response, options)).toEqual({
      operation: {
        operationId: '5.316aac5bdc130deb.b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e',
        status: 'assigning',
      },
      retryAfterMs: 3000,
    });
  });

  test('a pause may be a date, or missing', () => {
    const date = new Date(options.nowMs + 7000).toUTCString();
    const dated = answer(202, bodies['accepted'], { ...jsonHeaders, 'retry-after': date });
    expect(decodeRegistrationReply(dated, options).retryAfterMs).toBe(7000);
    expect(decodeRegistrationReply(answer(202, bodies['accepted']), options)).not.toHaveProperty(
      'retryAfterMs',
    );
  });

  test.each([301, 302, 307, 308])('redirect %i is refused: it would carry the token elsewhere', (status) => {
    const response = answer(status, '', { location: 'https://elsewhere.example/' });
    for (const decode of [decodeRegistrationReply, decodeChallengeReply, decodeStatusLookupReply]) {
      expect(thrownBy(() => decode(response, options))).toMatchObject({ code: 'ERR_REMOTE_REDIRECT' });
    }
  });

  test('a status below 200 is unexpected', () => {
    expect(thrownBy(() => decodeRegistrationReply(answer(101), options))).toMatchObject({
      code: 'ERR_REMOTE_UNEXPECTED',
    });
  });

  test.each([
    undefined,
    'text/html',
    'application/json; charset=utf-16',
    'application/jsonp',
    'x'.repeat(300),
  ])('content type %j is refused', (contentType) => {
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    expect(
      thrownBy(() => decodeRegistrationReply(answer(200, bodies['assigned'], headers), options)),
    ).toMatchObject({
      code: 'ERR_REMOTE_CONTENT_TYPE',
      evidence: { path: 'content-type' },
    });
  });

  test.each([
    'application/json',
    'Application/JSON;charset="UTF-8"',
    'application/problem+json',
    'application/json; odata=x',
  ])('content type %j is JSON', (contentType) => {
    expect(isJsonContentType(contentType)).toBe(true);
  });
});

describe('challenge reply', () => {
  test('a 401 with a key is the expected answer', () => {
    expect(decodeChallengeReply(answer(401, bodies['challenge']), options)).toEqual({
      activationBlob: Uint8Array.of(0, 1, 2, 3),
      keyName: 'registration',
    });
  });

  test('a 401 without a key is a refusal', () => {
    expect(thrownBy(() => decodeChallengeReply(answer(401, bodies['unauthorized']), options))).toMatchObject({
      code: 'ERR_SERVICE_UNAUTHORIZED',
      serviceCode: 401002,
    });
  });

  test.each([200, 202])(
    '%i means registered without a challenge, which no TPM device may accept',
    (status) => {
      expect(thrownBy(() => decodeChallengeReply(answer(status, bodies['accepted']), options))).toMatchObject(
        {
          code: 'ERR_REMOTE_UNEXPECTED',
          evidence: { path: 'status' },
        },
      );
    },
  );

  test('404 is the service’s error', () => {
    expect(thrownBy(() => decodeChallengeReply(answer(404, bodies['notFound']), options))).toMatchObject({
      code: 'ERR_SERVICE_NOT_FOUND',
    });
  });

  test('a 401 page of a proxy is no challenge', () => {
    const page = answer(401, '<html>', { 'content-type': 'text/html' });
    expect(thrownBy(() => decodeChallengeReply(page, options))).toMatchObject({
      code: 'ERR_REMOTE_CONTENT_TYPE',
    });
  });
});

test('a status lookup gives the state itself', () => {
  const body = '{"registrationId":"r","status":"assigned","assignedHub":"h","deviceId":"d"}';
  expect(decodeStatusLookupReply(answer(200, body), options)).toEqual(JSON.parse(body));
});

describe('service errors', () => {
  test('carry code, tracking id, pause and a remedy', () => {
    const headers = { ...jsonHeaders, 'retry-after': '5' };
    const error = toServiceError(answer(404, bodies['notFound'], headers), options);
    expect(error).toMatchObject({
      code: 'ERR_SERVICE_NOT_FOUND',
      status: 404,
      serviceCode: 404201,
      trackingId: '8ad0463c-6427-4479-9dfa-3e8bb7003e9b',
      retryAfterMs: 5000,
      retryable: false,
    });
    expect(error.remedy).toMatch(/enrollment/);
    expect(error.message).toMatch(
      /^register my-device-1: the service answered 404 \(code 404201\): Registration/,
    );
  });

  test.each([408, 429, 500, 502, 503, 504])('%i may be retried', (status) => {
    expect(toServiceError(answer(status), options).retryable).toBe(true);
  });

  test.each(['', 'nonsense', '<html>', '[]', '{"errorCode":"x"}'])(
    'body %j still gives status and headers',
    (body) => {
      const headers = { 'x-ms-error-code': '429001', 'x-ms-request-id': 'track', 'retry-after': '9' };
      expect(toServiceError(answer(429, body, headers), options)).toMatchObject({
        code: 'ERR_SERVICE_THROTTLED',
        serviceCode: 429001,
        trackingId: 'track',
        retryAfterMs: 9000,
      });
    },
  );

  test('a message of the peer is one short printable line', () => {
    const body = JSON.stringify({ message: `a\r\nERROR forged\u001b[31m\u2028${'x'.repeat(1000)}` });
    const { message } = toServiceError(answer(400, body), options);
    expect(message).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(message.length).toBeLessThan(400);
  });

  test('every status has a code of its own kind', () => {
    for (let status = 400; status < 600; status += 1) {
      expect(isEndorseError(toServiceError(answer(status), options))).toBe(true);
    }
  });
});
