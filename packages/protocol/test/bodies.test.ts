/** Oracle: bodies of the shapes the real service has sent (vectors/bodies.json). */
import { describe, expect, test } from 'vitest';
import {
  decodeChallengeBody,
  decodeOperationStatus,
  decodeRegisterBody,
  decodeRegistrationState,
  decodeServiceErrorBody,
  encodeChallengeBody,
  encodeOperationStatus,
  encodeRegisterBody,
  encodeRegistrationState,
  encodeServiceErrorBody,
  tryDecodeChallengeBody,
} from '@endorse/protocol';
import type { JsonValue, RegistrationStatus } from '@endorse/interface';
import { readVectors, syntheticEndorsementKey, thrownBy } from './vectors.ts';

type Bodies = Readonly<
  Record<
    'accepted' | 'assigning' | 'assigned' | 'disabled' | 'failed' | 'challenge' | 'unauthorized' | 'notFound',
    string
  >
>;
const bodies = readVectors('bodies') as Bodies;
const { endorsementKey: ekVector } = readVectors('identities') as {
  readonly endorsementKey: { readonly headerHex: string };
};
const endorsementKey = syntheticEndorsementKey(ekVector.headerHex);
const storageRootKey = Uint8Array.from({ length: 284 }, (_, index) => index);

const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('operation status', () => {
  test.each(['accepted', 'assigning', 'disabled', 'failed'] as const)('%s: comes back as it was', (name) => {
    expect(JSON.parse(encodeOperationStatus(decodeOperationStatus(bodies[name])))).toEqual(
      JSON.parse(bodies[name]),
    );
  });

  test('assigned: every field is where it belongs', () => {
    expect(decodeOperationStatus(bodies.assigned)).toEqual({
      operationId: '5.316aac5bdc130deb.b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e',
      status: 'assigned',
      registrationState: {
        x509: {},
        registrationId: 'my-device-1',
        createdDateTimeUtc: '2022-08-31T22:02:50.5163352Z',
        assignedHub: 'contoso.azure-devices.net',
        deviceId: 'my-device-1',
        status: 'assigned',
        substatus: 'initialAssignment',
        lastUpdatedDateTimeUtc: '2022-08-31T22:02:50.7370676Z',
        etag: 'IjY5MDAzNTUyLTAwMDAtMDMwMC0wMDAwLTYzMGZkYThhMDAwMCI=',
      },
    });
  });

  test('failed: the business error is in the state, as a number', () => {
    expect(decodeOperationStatus(bodies.failed).registrationState).toMatchObject({
      errorCode: 400207,
      errorMessage: 'Custom allocation failed with status code: 400',
    });
  });

  test('the hub key is bytes, on the wire base64', () => {
    const authenticationKey = Uint8Array.from({ length: 874 }, (_, index) => index);
    const text = encodeOperationStatus({
      operationId: 'x',
      status: 'assigned',
      registrationState: { tpm: { authenticationKey } },
    });
    expect(text).toContain(Buffer.from(authenticationKey).toString('base64'));
    expect(decodeOperationStatus(text).registrationState?.tpm?.authenticationKey).toEqual(authenticationKey);
  });

  test('bytes and text, with or without a byte order mark, read the same', () => {
    const expected = decodeOperationStatus(bodies.assigned);
    expect(decodeOperationStatus(new TextEncoder().encode(bodies.assigned))).toEqual(expected);
    expect(decodeOperationStatus(new TextEncoder().encode(`\ufeff${bodies.assigned}`))).toEqual(expected);
    expect(decodeOperationStatus(`\ufeff${bodies.assigned}`)).toEqual(expected);
  });

  test('null is the same as absent, and status words have no case', () => {
    expect(
      decodeOperationStatus('{"status":"Disabled","operationId":null,"registrationState":null}'),
    ).toEqual({
      status: 'disabled',
      operationId: '',
    });
  });

  test('blacklisted, the old word, is disabled', () => {
    expect(decodeOperationStatus('{"status":"blacklisted"}').status).toBe('disabled');
  });

  test('fields of a later service are kept, and written again', () => {
    const text =
      '{"operationId":"x","status":"assigned","registrationState":{"deviceId":"d","issuedCertificateChain":["a"],"__proto__":{"p":1}}}';
    const state = decodeOperationStatus(text).registrationState;
    expect(state?.extra).toEqual(JSON.parse('{"issuedCertificateChain":["a"],"__proto__":{"p":1}}'));
    expect((state as { p?: unknown } | undefined)?.p).toBeUndefined();
    expect(JSON.parse(encodeRegistrationState(state ?? {}))).toEqual(
      JSON.parse('{"deviceId":"d","issuedCertificateChain":["a"],"__proto__":{"p":1}}'),
    );
  });

  test.each([
    ['nothing', '', '$'],
    ['white space', ' \n', '$'],
    ['a page of a proxy', '<html>Sign in</html>', '$'],
    ['cut JSON', bodies.assigned.slice(0, 80), '$'],
    ['an array', '[]', '$'],
    ['null', 'null', '$'],
    ['a string', '"assigned"', '$'],
    ['no status', '{"operationId":"x"}', '$.status'],
    ['a status that is no string', '{"status":7}', '$.status'],
    ['an empty status', '{"status":""}', '$.status'],
    ['an operation id that is no string', '{"operationId":7,"status":"assigning"}', '$.operationId'],
    ['assigning without an operation id', '{"status":"assigning"}', '$.operationId'],
    [
      'an operation id that would leave its path',
      '{"operationId":"..","status":"assigning"}',
      '$.operationId',
    ],
    ['an operation id with a line feed', '{"operationId":"a\\nb","status":"assigning"}', '$.operationId'],
    ['a state that is no object', '{"status":"failed","registrationState":[]}', '$.registrationState'],
    [
      'a hub that is no string',
      '{"status":"failed","registrationState":{"assignedHub":{}}}',
      '$.registrationState.assignedHub',
    ],
    [
      'an error code with a fraction',
      '{"status":"failed","registrationState":{"errorCode":1.5}}',
      '$.registrationState.errorCode',
    ],
    [
      'a key that is not base64',
      '{"status":"failed","registrationState":{"tpm":{"authenticationKey":"***"}}}',
      '$.registrationState.tpm.authenticationKey',
    ],
    [
      'an empty key',
      '{"status":"failed","registrationState":{"tpm":{"authenticationKey":""}}}',
      '$.registrationState.tpm.authenticationKey',
    ],
    ['a number out of range', '{"status":"failed","x":[{"y":1e999}]}', '$.x[0].y'],
    ['65 levels of nesting', `{"status":"failed","x":${nested(64)}}`, `$.x${'[0]'.repeat(63)}`],
  ])('%s is refused at its place', (_name, text, path) => {
    expect(thrownBy(() => decodeOperationStatus(text))).toMatchObject({
      name: 'RemoteProtocolError',
      code: 'ERR_REMOTE_MALFORMED',
      evidence: { path },
    });
  });

  test('64 levels are taken, and half a million cost no stack', () => {
    expect(decodeOperationStatus(`{"status":"failed","x":${nested(63)}}`).status).toBe('failed');
    expect(thrownBy(() => decodeOperationStatus(nested(500_000)))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });

  test('an unknown status is unexpected, and is shown', () => {
    const error = thrownBy(() => decodeOperationStatus('{"operationId":"x","status":"paused"}'));
    expect(error).toMatchObject({
      code: 'ERR_REMOTE_UNEXPECTED',
      evidence: { path: '$.status', sample: 'paused' },
    });
    const inner = thrownBy(() => decodeRegistrationState('{"status":"paused"}'));
    expect(inner).toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED' });
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(thrownBy(() => decodeOperationStatus(Uint8Array.of(0x7b, 0xff, 0x7d)))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });

  test('more than 1 MiB, or than the caller says, is too large', () => {
    const large = { code: 'ERR_REMOTE_TOO_LARGE' };
    expect(thrownBy(() => decodeOperationStatus(' '.repeat(1_048_577)))).toMatchObject(large);
    expect(thrownBy(() => decodeOperationStatus(new Uint8Array(1_048_577)))).toMatchObject(large);
    expect(thrownBy(() => decodeOperationStatus(bodies.assigned, { maxBytes: 100 }))).toMatchObject(large);
  });

  test.each([
    [
      'a status nobody knows',
      { operationId: 'x', status: 'paused' as RegistrationStatus },
      'operation.status',
    ],
    ['assigning without an id', { operationId: '', status: 'assigning' as const }, 'operation.operationId'],
    [
      'a state with an unknown status',
      {
        operationId: 'x',
        status: 'failed' as const,
        registrationState: { status: 'x' as RegistrationStatus },
      },
      'state.status',
    ],
    [
      'a blob that is text',
      {
        operationId: 'x',
        status: 'failed' as const,
        registrationState: { tpm: { authenticationKey: 'AA==' as unknown as Uint8Array } },
      },
      'state.tpm.authenticationKey',
    ],
    [
      'a payload that is no JSON',
      { operationId: 'x', status: 'failed' as const, registrationState: { payload: Number.NaN } },
      'state',
    ],
  ])('%s cannot be sent', (_name, operation, argument) => {
    expect(thrownBy(() => encodeOperationStatus(operation))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument,
    });
  });
});

describe('register body', () => {
  test('has exactly the fields the official clients send', () => {
    expect(
      JSON.parse(
        encodeRegisterBody({ registrationId: 'r', endorsementKey, storageRootKey, payload: { a: [1] } }),
      ),
    ).toEqual({
      registrationId: 'r',
      tpm: {
        endorsementKey: Buffer.from(endorsementKey).toString('base64'),
        storageRootKey: Buffer.from(storageRootKey).toString('base64'),
      },
      payload: { a: [1] },
    });
    expect(encodeRegisterBody({ registrationId: 'r' })).toBe('{"registrationId":"r"}');
  });

  test('has the 925 bytes the official Node client sends for a TPM with a derived id', () => {
    expect(
      encodeRegisterBody({ registrationId: 'a'.repeat(52), endorsementKey, storageRootKey }).length,
    ).toBe(925);
  });

  test('comes back as it went', () => {
    const info = {
      registrationId: 'r',
      endorsementKey,
      storageRootKey,
      payload: [1, null, 'x'],
      csr: Uint8Array.of(1, 2),
    };
    expect(decodeRegisterBody(encodeRegisterBody(info))).toEqual(info);
  });

  test('may be empty, or lack what some clients leave out', () => {
    expect(decodeRegisterBody('')).toEqual({});
    expect(decodeRegisterBody(new Uint8Array(0))).toEqual({});
    expect(decodeRegisterBody('{"payload":7,"later":true}')).toEqual({ payload: 7, extra: { later: true } });
  });

  test.each([
    ['{"registrationId":"a b"}', '$.registrationId'],
    ['{"registrationId":7}', '$.registrationId'],
    ['{"tpm":{}}', '$.tpm.endorsementKey'],
    ['{"tpm":{"endorsementKey":"AA"}}', '$.tpm.endorsementKey'],
    ['{"tpm":{"endorsementKey":"AAAA","storageRootKey":7}}', '$.tpm.storageRootKey'],
    [`{"tpm":{"endorsementKey":"${'A'.repeat(4000)}"}}`, '$.tpm.endorsementKey'],
    ['{"tpm":"AAAA"}', '$.tpm'],
  ])('%j is refused at its place', (text, path) => {
    expect(thrownBy(() => decodeRegisterBody(text))).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
      evidence: { path },
    });
  });

  test('more than 96 KiB is refused both ways', () => {
    const payload = 'x'.repeat(98_304);
    expect(thrownBy(() => encodeRegisterBody({ registrationId: 'r', payload }))).toMatchObject({
      name: 'LocalProtocolError',
      code: 'ERR_LOCAL_UNENCODABLE',
    });
    expect(thrownBy(() => decodeRegisterBody(JSON.stringify({ payload })))).toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  });

  const cyclic: { self?: unknown; again?: unknown } = {};
  cyclic.self = cyclic;
  cyclic.again = cyclic;
  const exponential = Array.from({ length: 50 }).reduce<object>((inner) => ({ a: inner, b: inner }), {});

  test.each([
    ['a registration id with a space', { registrationId: 'a b' }, 'info.registrationId'],
    ['a storage root key alone', { registrationId: 'r', storageRootKey }, 'info.endorsementKey'],
    [
      'an endorsement key that is text',
      { registrationId: 'r', endorsementKey: 'AToA' as unknown as Uint8Array },
      'info.endorsementKey',
    ],
    [
      'an empty endorsement key',
      { registrationId: 'r', endorsementKey: new Uint8Array(0) },
      'info.endorsementKey',
    ],
    [
      'a payload with a date',
      { registrationId: 'r', payload: { at: new Date() } as unknown as JsonValue },
      'info.payload',
    ],
    [
      'a payload with a function',
      { registrationId: 'r', payload: [() => 1] as unknown as JsonValue },
      'info.payload',
    ],
    ['a payload with Infinity', { registrationId: 'r', payload: Number.POSITIVE_INFINITY }, 'info.payload'],
    ['a payload that contains itself', { registrationId: 'r', payload: cyclic as JsonValue }, 'info.payload'],
    [
      'a payload with 2^50 values',
      { registrationId: 'r', payload: exponential as JsonValue },
      'info.payload',
    ],
    [
      'a payload with a big integer',
      { registrationId: 'r', payload: 1n as unknown as JsonValue },
      'info.payload',
    ],
  ])('%s is refused by name', (_name, info, argument) => {
    expect(thrownBy(() => encodeRegisterBody(info))).toMatchObject({
      name: 'InvalidArgumentError',
      argument,
    });
  });
});

describe('challenge', () => {
  test('is the service’s, byte for byte', () => {
    expect(encodeChallengeBody({ activationBlob: Uint8Array.of(0, 1, 2, 3) })).toBe(bodies.challenge);
  });

  test('is read, the key in clear of early services aside', () => {
    const withKey = bodies.challenge.replace('null', '"x/xWHUmzcm5NAY6vGZwMZ3vl7ylPfnGHcQN9RGkf1HM="');
    for (const text of [bodies.challenge, withKey]) {
      expect(decodeChallengeBody(text)).toEqual({
        activationBlob: Uint8Array.of(0, 1, 2, 3),
        keyName: 'registration',
        message: 'Authorization required, resend request using supplied key',
      });
    }
  });

  test('has the key name registration when it does not say', () => {
    expect(decodeChallengeBody('{"authenticationKey":"AAAA"}').keyName).toBe('registration');
  });

  test('a refusal is not mistaken for one', () => {
    expect(tryDecodeChallengeBody(bodies.unauthorized)).toBeUndefined();
    expect(tryDecodeChallengeBody(bodies.challenge)?.activationBlob.byteLength).toBe(4);
    expect(thrownBy(() => decodeChallengeBody(bodies.unauthorized))).toMatchObject({
      evidence: { path: '$.authenticationKey' },
    });
  });

  test.each(['{"authenticationKey":7}', '{"authenticationKey":"!"}', '{"authenticationKey":""}', '[]', ''])(
    '%j is refused',
    (text) => {
      for (const decode of [decodeChallengeBody, tryDecodeChallengeBody]) {
        expect(thrownBy(() => decode(text))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
      }
    },
  );

  test.each([0, 8193])('a blob of %i bytes cannot be sent', (length) => {
    expect(thrownBy(() => encodeChallengeBody({ activationBlob: new Uint8Array(length) }))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });
});

describe('error body', () => {
  test.each(['unauthorized', 'notFound'] as const)('%s: comes back as it was', (name) => {
    expect(encodeServiceErrorBody(decodeServiceErrorBody(bodies[name]))).toBe(bodies[name]);
  });

  test('every field is where it belongs', () => {
    expect(decodeServiceErrorBody(bodies.notFound)).toEqual({
      errorCode: 404201,
      trackingId: '8ad0463c-6427-4479-9dfa-3e8bb7003e9b',
      message: 'Registration not found.',
      info: { path: '/registrations' },
      timestampUtc: '2021-05-11T08:39:10.0276039Z',
    });
  });

  test('a code without an HTTP status in it cannot be sent', () => {
    for (const errorCode of [42, 600_000, 401.5]) {
      expect(thrownBy(() => encodeServiceErrorBody({ errorCode }))).toMatchObject({
        code: 'ERR_OUT_OF_RANGE',
      });
    }
  });
});

describe('what an error shows', () => {
  test('is no key, however it came', () => {
    const secret = 'x/xWHUmzcm5NAY6vGZwMZ3vl7ylPfnGHcQN9RGkf1HM=';
    const texts = [
      `{"status":"${secret}"}`,
      `{"${secret}":1e999,"status":"a"}`,
      secret,
      `{"a":"${secret}"`,
      `<p>sig=${secret}</p>`,
    ];
    for (const text of texts) {
      const error = thrownBy(() => decodeOperationStatus(text)) as Error & { evidence?: unknown };
      const shown = JSON.stringify([error.message, error.evidence, String(error.cause)]);
      expect(shown).not.toContain(secret.slice(0, 20));
    }
  });

  test('is the beginning of a page that is no JSON, in one printable line', () => {
    const error = thrownBy(() =>
      decodeOperationStatus(`<html>\r\n\u001b[31mlog in</html>${'x '.repeat(200)}`),
    );
    const { sample } = (error as { evidence: { sample: string } }).evidence;
    expect(sample).toMatch(/^<html>\?\?\?\[31mlog in<\/html>/);
    expect(sample.length).toBeLessThanOrEqual(200);
  });
});
