/**
 * Oracles: SAS signatures computed apart from this code base (key 00..1f), in the spellings of the resource that
 * clients and services send, and the group key example of the service's documentation.
 */
import { inspect } from 'node:util';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import { createSasToken, registrationKeyName } from '@endorse/protocol';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { describe, expect, test } from 'vitest';

const countingKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const registrationId = 'my-device-1';
const expiresAtSeconds = 1_700_000_000;

const signatures = [
  ['0ne0000ABCD%2Fregistrations%2Fmy-device-1', 'R6GUZ1ewhvJmHuR71KdeSKrC5XjABqspT9PrujIcTOY='],
  ['0ne0000ABCD%2fregistrations%2fmy-device-1', '+xyjSc7PXy9QnHVwZhQov2Yj9gHryITGlJWLPvf2Dck='],
  ['0ne0000ABCD/registrations/my-device-1', 'UnMJNOdUmRp71BmYo+ENeFQObLE/dB8OLd8OdgCQXuA='],
  ['0ne00000000%2Fregistrations%2Fdev-1', 'FncGj2MIeIog9JztxPUmKluvHV9ZoWzv9sGd4Yf5EfM='],
  ['0ne00000000%2fregistrations%2fdev-1', 'YM5CVJC2UurLInzUjmd5rA+z+Gtin5/BhbKZ6mCMLUM='],
  ['mydps.azure-devices-provisioning.net', '+5V0HFPIoMYrcltM2Jj4oxVByh5pkp677OYUHTEHW70='],
] as const;

const groupExample = {
  groupKey: '8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==',
  registrationId: 'sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6',
  deviceKey: 'Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=',
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64');

/** A secret that gives out the buffer itself, so that a test sees what becomes of the client's copy. */
function revealing(buffer: Uint8Array): Secret {
  const secret = Secret.fromBytes(buffer);
  secret.reveal = () => buffer;
  return secret;
}

describe('signatures', () => {
  test.each(signatures)('of the token text for %s', async (resource, signature) => {
    await using client = createSymmetricKeySecurityClient({
      registrationId,
      key: Secret.fromBase64(countingKey),
    });
    expect(base64(await client.signWithIdentity(bytes(`${resource}\n${expiresAtSeconds}`)))).toBe(signature);
  });

  test('make the whole token of a device', async () => {
    await using client = createSymmetricKeySecurityClient({
      registrationId: 'dev-1',
      key: Secret.fromBase64(countingKey),
    });
    const token = await createSasToken({
      resource: '0ne00000000/registrations/dev-1',
      expiresAt: expiresAtSeconds * 1000,
      keyName: registrationKeyName,
      sign: (data) => client.signWithIdentity(data),
    });
    expect(token.revealText()).toBe(
      'SharedAccessSignature sr=0ne00000000%2Fregistrations%2Fdev-1&sig=FncGj2MIeIog9JztxPUmKluvHV9ZoWzv9sGd4Yf5EfM%3D&se=1700000000&skn=registration',
    );
  });

  test.each([
    groupExample,
    { groupKey: countingKey, registrationId, deviceKey: '9HZT8f8eRh773rmbP+/51YGV3i2bxNL5Ja9eGDKOwZE=' },
  ])('of a group device $registrationId are those of its derived key', async (example) => {
    await using derived = createSymmetricKeySecurityClient({
      registrationId: example.registrationId,
      groupKey: Secret.fromBase64(example.groupKey),
    });
    await using individual = createSymmetricKeySecurityClient({
      registrationId: example.registrationId,
      key: Secret.fromBase64(example.deviceKey),
    });
    expect(await derived.signWithIdentity(bytes('data'))).toEqual(
      await individual.signWithIdentity(bytes('data')),
    );
  });

  test('are over the data of the call, whatever its owner does to it afterwards', async () => {
    await using client = createSymmetricKeySecurityClient({
      registrationId,
      key: Secret.fromBase64(countingKey),
    });
    const data = bytes('data');
    const signing = client.signWithIdentity(data);
    data.fill(0);
    expect(await signing).toEqual(await client.signWithIdentity(bytes('data')));
  });
});

describe('options', () => {
  const key = (): Secret => Secret.fromBase64(countingKey);

  test.each([
    ['no object', undefined, 'ERR_INVALID_ARGUMENT', 'options'],
    ['null', null, 'ERR_INVALID_ARGUMENT', 'options'],
    ['no key', { registrationId }, 'ERR_INVALID_ARGUMENT', 'options'],
    ['both keys', { registrationId, key: key(), groupKey: key() }, 'ERR_INVALID_ARGUMENT', 'options'],
    ['a key as text', { registrationId, key: countingKey }, 'ERR_INVALID_ARGUMENT', 'options.key'],
    ['a key as bytes', { registrationId, key: new Uint8Array(32) }, 'ERR_INVALID_ARGUMENT', 'options.key'],
    ['null as key', { registrationId, key: null }, 'ERR_INVALID_ARGUMENT', 'options.key'],
    [
      'a group key as text',
      { registrationId, groupKey: countingKey },
      'ERR_INVALID_ARGUMENT',
      'options.groupKey',
    ],
    ['no registration id', { key: key() }, 'ERR_INVALID_ARGUMENT', 'options.registrationId'],
    [
      'a bad registration id',
      { registrationId: 'a/b', key: key() },
      'ERR_INVALID_ARGUMENT',
      'options.registrationId',
    ],
  ])('%s is refused', (_title, options, code, argument) => {
    expect(() => createSymmetricKeySecurityClient(options as never)).toThrow(
      expect.objectContaining({ code, argument }) as Error,
    );
  });

  test.each([0, 15, 65, 256])('a key of %i bytes is refused, for a device and for a group', (byteLength) => {
    const wrong = Secret.fromBytes(new Uint8Array(byteLength).fill(7));
    for (const options of [
      { registrationId, key: wrong },
      { registrationId, groupKey: wrong },
    ] as const) {
      expect(() => createSymmetricKeySecurityClient(options)).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error,
      );
    }
  });

  test('a secret that was disposed of is refused', () => {
    const disposed = key();
    disposed.dispose();
    expect(() => createSymmetricKeySecurityClient({ registrationId, key: disposed })).toThrow(
      expect.objectContaining({ code: 'ERR_LOCAL_STATE' }) as Error,
    );
  });

  test('errors are TypeErrors of the caller', () => {
    expect(() => createSymmetricKeySecurityClient({} as never)).toThrow(InvalidArgumentError);
  });
});

describe('the key', () => {
  test.each(['key', 'groupKey'] as const)(
    'given as %s is copied: its owner may dispose of it',
    async (name) => {
      const secret = Secret.fromBase64(countingKey);
      await using client = createSymmetricKeySecurityClient({ registrationId, [name]: secret } as never);
      const before = await client.signWithIdentity(bytes('data'));
      secret.dispose();
      expect(await client.signWithIdentity(bytes('data'))).toEqual(before);
    },
  );

  test('is not disposed of by the client, which may be one of several', async () => {
    const secret = Secret.fromBase64(countingKey);
    const client = createSymmetricKeySecurityClient({ registrationId, key: secret });
    await client.close();
    expect(base64(secret.reveal())).toBe(countingKey);
  });

  test('is overwritten with zeros by close(), and a group key as soon as the key of the device is derived', async () => {
    const key = Uint8Array.from(Buffer.from(countingKey, 'base64'));
    const client = createSymmetricKeySecurityClient({ registrationId, key: revealing(key) });
    await client.signWithIdentity(bytes('data'));
    expect(base64(key)).toBe(countingKey);
    await client.close();
    expect(key).toEqual(new Uint8Array(32));

    const groupKey = Uint8Array.from(Buffer.from(countingKey, 'base64'));
    await using derived = createSymmetricKeySecurityClient({ registrationId, groupKey: revealing(groupKey) });
    expect(groupKey).toEqual(new Uint8Array(32));
    expect(base64(await derived.signWithIdentity(bytes('data')))).not.toBe('');
  });

  test('is in nothing that a logger could print', async () => {
    await using client = createSymmetricKeySecurityClient({
      registrationId,
      key: Secret.fromBase64(countingKey),
    });
    const printed = inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client);
    expect(printed).not.toMatch(/AAECAwQF|0, 1, 2, 3|00 01 02 03|000102/);
  });
});
