/** Oracle: field names and sizes of what the official clients send, as documented and as measured on the wire. */
import type { JsonValue } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { decodeRegisterBody, encodeRegisterBody } from '@endorse/protocol';
import { readVectors, syntheticEndorsementKey, thrownBy } from './vectors.ts';

const { endorsementKey: ekVector } = readVectors('identities') as {
  readonly endorsementKey: { readonly headerHex: string };
};
const endorsementKey = syntheticEndorsementKey(ekVector.headerHex);
const storageRootKey = Uint8Array.from({ length: 284 }, (_, index) => index);

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
