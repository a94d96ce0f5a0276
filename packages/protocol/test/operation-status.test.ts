/** Oracle: answers of the shapes the real service has sent (vectors/bodies.json). */
import type { RegistrationStatus } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import {
  decodeOperationStatus,
  decodeRegistrationState,
  encodeOperationStatus,
  encodeRegistrationState,
} from '@endorse/protocol';
import { readVectors, thrownBy } from './vectors.ts';

type Bodies = Readonly<
  Record<
    'accepted' | 'assigning' | 'assigned' | 'disabled' | 'failed' | 'challenge' | 'unauthorized' | 'notFound',
    string
  >
>;
const bodies = readVectors('bodies') as Bodies;
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
