/**
 * Oracles: RFC 4648 (through the derived id), a published worked example for group
 * keys, and digests computed with Python (vectors/identities.json).
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  createGuid,
  createOperationId,
  deriveGroupDeviceKey,
  deriveRegistrationId,
  findDeviceIdProblem,
  findIdScopeProblem,
  findOperationIdProblem,
  findRegistrationIdProblem,
  parseOperationId,
  validateDeviceId,
  validateIdScope,
  validateOperationId,
  validateRegistrationId,
} from '@endorse/protocol';
import { base64, readVectors, syntheticEndorsementKey, thrownBy } from './vectors.ts';

interface GroupKeyVector {
  readonly groupKeyBase64: string;
  readonly registrationId: string;
  readonly deviceKeyBase64: string;
}

const vectors = readVectors('identities') as {
  readonly groupKey: GroupKeyVector;
  readonly syntheticGroupKey: GroupKeyVector;
  readonly endorsementKey: {
    readonly headerHex: string;
    readonly sha256Hex: string;
    readonly registrationId: string;
  };
};

describe('deriveRegistrationId', () => {
  const endorsementKey = syntheticEndorsementKey(vectors.endorsementKey.headerHex);

  test('hashes the whole TPM2B_PUBLIC, as every official client does', () => {
    expect(endorsementKey.byteLength).toBe(316);
    expect(createHash('sha256').update(endorsementKey).digest('hex')).toBe(vectors.endorsementKey.sha256Hex);
    expect(deriveRegistrationId(endorsementKey)).toBe(vectors.endorsementKey.registrationId);
  });

  test.each([
    ['a bare TPMT_PUBLIC, which would give another id', endorsementKey.subarray(2)],
    ['a key with bytes after it', Uint8Array.of(...endorsementKey, 0)],
    ['a truncated key', endorsementKey.subarray(0, 300)],
    ['nothing', new Uint8Array(0)],
    ['text', 'AToA' as unknown as Uint8Array],
  ])('refuses %s', (_name, bytes) => {
    expect(thrownBy(() => deriveRegistrationId(bytes))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'endorsementKey',
    });
  });
});

describe('the rule for registration ids', () => {
  test.each(['a', 'A-b.c_d:e9', '-', 'trailing-', 'x'.repeat(128), 'sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6'])(
    'takes %j',
    (id) => {
      expect(validateRegistrationId(id)).toBe(id);
    },
  );

  test.each(['', 'x'.repeat(129), 'a b', 'a/b', 'ä', 'dot.', 'colon:', 'under_', 'a\n', '..', 'a%20b'])(
    'refuses %j',
    (id) => {
      expect(findRegistrationIdProblem(id)).toMatch(/^must/);
      expect(thrownBy(() => validateRegistrationId(id))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    },
  );

  test('refuses what is no string', () => {
    expect(findRegistrationIdProblem(undefined)).toBe('must be a string');
    expect(findIdScopeProblem(7)).toBe('must be a string');
    expect(findDeviceIdProblem({})).toBe('must be a string');
    expect(findOperationIdProblem(null)).toBe('must be a string');
  });
});

test('ID scopes are letters and digits, with a hyphen or underscore at most', () => {
  expect(validateIdScope('0ne000A247E')).toBe('0ne000A247E');
  for (const bad of ['', 'a/b', 'a b', 'x'.repeat(65), '..']) {
    expect(thrownBy(() => validateIdScope(bad))).toMatchObject({ argument: 'idScope' });
  }
});

test('device ids follow the rule of the hub', () => {
  expect(validateDeviceId("a-.%_*?!(),:=@$'+#9")).toBe("a-.%_*?!(),:=@$'+#9");
  for (const bad of ['', 'a/b', 'a b', 'x'.repeat(129), '.', '..', 'ä']) {
    expect(thrownBy(() => validateDeviceId(bad))).toMatchObject({ argument: 'deviceId' });
  }
});

describe('operation ids', () => {
  const random = { bytes: (length: number) => Uint8Array.from({ length }, (_, index) => 255 - index) };

  test('have the shape the service gives them', () => {
    const operationId = createOperationId({ idScope: 'scope', registrationId: 'Device' }, random);
    expect(operationId).toMatch(/^5\.[0-9a-f]{16}\.fffefdfc-fbfa-49f8-b7f6-f5f4f3f2f1f0$/);
    expect(parseOperationId(operationId)).toMatchObject({ generation: 5 });
  });

  test('keep their middle part for one registration, in any case, and change it for another', () => {
    const tag = (idScope: string, registrationId: string): string | undefined =>
      parseOperationId(createOperationId({ idScope, registrationId }, random))?.registrationTag;
    expect(tag('scope', 'DEVICE')).toBe(tag('scope', 'device'));
    expect(tag('scope', 'other')).not.toBe(tag('scope', 'device'));
    expect(tag('other', 'device')).not.toBe(tag('scope', 'device'));
  });

  test('of the service are taken apart', () => {
    expect(parseOperationId('5.316aac5bdc130deb.b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e')).toEqual({
      generation: 5,
      registrationTag: '316aac5bdc130deb',
      guid: 'b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e',
    });
  });

  test('of any other shape are opaque, not wrong', () => {
    expect(parseOperationId('whatever')).toBeUndefined();
    expect(validateOperationId('whatever/with?signs#%')).toBe('whatever/with?signs#%');
  });

  test.each(['', '.', '..', 'a b', 'a\n', 'ü', 'x'.repeat(257)])('refuse %j', (id) => {
    expect(thrownBy(() => validateOperationId(id))).toMatchObject({ argument: 'operationId' });
  });

  test('do not change what the random source gave', () => {
    const given = new Uint8Array(16).fill(255);
    createGuid({ bytes: () => given });
    expect(given).toEqual(new Uint8Array(16).fill(255));
  });
});

describe('deriveGroupDeviceKey', () => {
  test.each([vectors.groupKey, vectors.syntheticGroupKey])(
    'gives the published key of $registrationId',
    (vector) => {
      const deviceKey = deriveGroupDeviceKey(base64(vector.groupKeyBase64), vector.registrationId);
      expect(deviceKey).toEqual(base64(vector.deviceKeyBase64));
    },
  );

  test.each([15, 65])('refuses a group key of %i bytes', (length) => {
    expect(thrownBy(() => deriveGroupDeviceKey(new Uint8Array(length), 'id'))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });
});
