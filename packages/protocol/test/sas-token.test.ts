/**
 * Oracle: tokens computed with an independent implementation, in every encoding
 * an official client is known to send (vectors/sas-tokens.json).
 */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  createSasToken,
  encodeSasResource,
  formatSasToken,
  hubDeviceResource,
  parseSasToken,
  percentEncode,
  registrationResource,
  sasResourceCovers,
  sasStringToSign,
  serviceResource,
  verifySasSignature,
} from '@endorse/protocol';
import { base64, readVectors, thrownBy } from './vectors.ts';

interface SasVectors {
  readonly keyBase64: string;
  readonly expiresAtSeconds: number;
  readonly tokens: readonly {
    readonly name: string;
    readonly token: string;
    readonly resource: string;
    readonly keyName?: string;
    readonly ours?: 'percent' | 'raw';
  }[];
}

const vectors = readVectors('sas-tokens') as SasVectors;
const key = base64(vectors.keyBase64);
const sign = async (data: Uint8Array): Promise<Uint8Array> =>
  Uint8Array.from(createHmac('sha256', key).update(data).digest());

describe('tokens of every known client', () => {
  test.each(vectors.tokens)('$name: is parsed and verifies', ({ token, resource, keyName }) => {
    const parsed = parseSasToken(token);
    expect(parsed.resource).toBe(resource);
    expect(parsed.keyName).toBe(keyName);
    expect(parsed.expiresAtSeconds).toBe(vectors.expiresAtSeconds);
    expect(token).toContain(parsed.rawResource);
    expect(verifySasSignature(parsed, key)).toBe(true);
  });

  test.each(vectors.tokens)(
    '$name: does not verify with another key, expiry or resource',
    ({ token, resource }) => {
      const otherKey = Uint8Array.from(key, (byte) => byte ^ 1);
      expect(verifySasSignature(parseSasToken(token), otherKey)).toBe(false);
      expect(verifySasSignature(parseSasToken(token.replace('se=17', 'se=18')), key)).toBe(false);
      const lastCharacter = resource.slice(-1);
      const changed = token.replace(new RegExp(`(sr=[^&]*)${lastCharacter}(&|$)`), '$1x$2');
      expect(changed).not.toBe(token);
      expect(verifySasSignature(parseSasToken(changed), key)).toBe(false);
    },
  );

  test.each(vectors.tokens.filter(({ ours }) => ours !== undefined))(
    '$name: comes out the same, field order aside',
    async ({ token, resource, keyName, ours }) => {
      const made = await createSasToken({
        resource,
        expiresAt: vectors.expiresAtSeconds * 1000,
        keyName,
        encoding: ours,
        sign,
      });
      const fields = (text: string): readonly string[] =>
        text.replace('SharedAccessSignature ', '').split('&').toSorted();
      expect(fields(made.revealText())).toEqual(fields(token));
      expect(made.revealText()).toMatch(/^SharedAccessSignature sr=/);
    },
  );
});

describe('createSasToken', () => {
  const options = { resource: 'scope/registrations/id', keyName: 'registration', sign };

  test('rounds the expiry up to a second', async () => {
    const token = await createSasToken({ ...options, expiresAt: 1_700_000_000_001 });
    expect(parseSasToken(token.revealText()).expiresAtSeconds).toBe(1_700_000_001);
  });

  test('signs exactly what a verifier will look at', async () => {
    const seen: Uint8Array[] = [];
    const token = await createSasToken({
      ...options,
      expiresAt: 1_700_000_000_000,
      sign: (data) => {
        seen.push(data);
        return sign(data);
      },
    });
    expect(seen).toEqual([parseSasToken(token.revealText()).stringToSign]);
    expect(seen).toEqual([sasStringToSign(options.resource, 1_700_000_000)]);
  });

  test('prints no part of the token when inspected', async () => {
    const token = await createSasToken({ ...options, expiresAt: 1_700_000_000_000 });
    expect(`${String(token)}${JSON.stringify({ token })}`).not.toContain('sig=');
  });

  test('passes on what the signer rejects with', async () => {
    const refusal = new Error('the TPM is gone');
    const failing = createSasToken({ ...options, expiresAt: 0, sign: () => Promise.reject(refusal) });
    await expect(failing).rejects.toBe(refusal);
  });

  test.each([
    ['an expiry that is no number', { expiresAt: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    ['an expiry before 1970', { expiresAt: -2000 }, 'ERR_OUT_OF_RANGE'],
    ['an expiry in the far future', { expiresAt: 1e16 }, 'ERR_OUT_OF_RANGE'],
    ['an empty resource', { resource: '', expiresAt: 0 }, 'ERR_INVALID_ARGUMENT'],
    [
      'a raw resource that would end the field',
      { resource: 'a&b', encoding: 'raw', expiresAt: 0 },
      'ERR_INVALID_ARGUMENT',
    ],
    ['an unknown encoding', { encoding: 'Percent' as 'percent', expiresAt: 0 }, 'ERR_INVALID_ARGUMENT'],
    [
      'a signature of another size',
      { sign: async () => new Uint8Array(20), expiresAt: 0 },
      'ERR_INVALID_ARGUMENT',
    ],
  ] as const)('refuses %s', async (_name, change, code) => {
    await expect(createSasToken({ ...options, ...change })).rejects.toMatchObject({ code });
  });
});

describe('parseSasToken', () => {
  const good = vectors.tokens[1]?.token ?? '';

  test('takes the scheme in any case and fields it does not know', () => {
    expect(parseSasToken(good.replace('SharedAccess', 'sharedaccess').concat('&extra=1')).keyName).toBe(
      'registration',
    );
  });

  test('treats an empty key name as none', () => {
    expect(parseSasToken(good.replace('skn=registration', 'skn=')).keyName).toBeUndefined();
  });

  test.each([
    ['an empty text', ''],
    ['another scheme', good.replace('SharedAccessSignature', 'Bearer')],
    ['no fields', 'SharedAccessSignature '],
    ['a field without a name', good.concat('&=1')],
    ['a field without a value sign', good.concat('&flag')],
    ['no resource', good.replace(/sr=[^&]*&/, '')],
    ['no signature', good.replace(/sig=[^&]*&/, '')],
    ['no expiry', good.replace(/&se=\d+/, '')],
    ['two resources', good.concat('&sr=other')],
    ['an expiry in hex', good.replace('se=1700000000', 'se=0x65')],
    ['a negative expiry', good.replace('se=1700000000', 'se=-1')],
    ['a huge expiry', good.replace('se=1700000000', 'se=9999999999999')],
    ['a broken escape in the resource', good.replace('%2F', '%2')],
    ['a signature that is not base64', good.replace(/sig=[^&]*/, 'sig=!!!!')],
    ['a signature of 31 bytes', good.replace(/sig=[^&]*/, `sig=${Buffer.alloc(31, 1).toString('base64')}`)],
    ['a signature with a space for a plus', good.replace(/sig=[^&]*/, 'sig=a b')],
  ])('refuses %s', (_name, text) => {
    expect(thrownBy(() => parseSasToken(text))).toMatchObject({
      name: 'RemoteProtocolError',
      code: 'ERR_REMOTE_MALFORMED',
    });
  });

  test('refuses a token of 5000 characters as too large', () => {
    const error = thrownBy(() => parseSasToken(good.concat('&x=', 'y'.repeat(5000))));
    expect(error).toMatchObject({ code: 'ERR_REMOTE_TOO_LARGE' });
  });

  test('never repeats the token in an error', () => {
    const signature = /sig=([^&]*)/.exec(good)?.[1] ?? '';
    const error = thrownBy(() => parseSasToken(`${good}&sr=again`)) as Error & { evidence?: unknown };
    expect(JSON.stringify([error.message, error.evidence])).not.toContain(signature);
  });
});

describe('resources', () => {
  test('have the forms the service checks', () => {
    expect(registrationResource('0ne0000ABCD', 'my-device-1')).toBe('0ne0000ABCD/registrations/my-device-1');
    expect(hubDeviceResource('Contoso.azure-devices.net', 'dev:1')).toBe(
      'contoso.azure-devices.net/devices/dev:1',
    );
    expect(hubDeviceResource('localhost:8444', 'dev')).toBe('localhost:8444/devices/dev');
    expect(serviceResource('MyDps.azure-devices-provisioning.net:443')).toBe(
      'mydps.azure-devices-provisioning.net',
    );
  });

  test('are escaped with upper-case hex, everything reserved included', () => {
    expect(encodeSasResource("a/b:c!d'e(f)g*h~i", 'percent')).toBe('a%2Fb%3Ac%21d%27e%28f%29g%2Ah~i');
    expect(encodeSasResource('a/b', 'raw')).toBe('a/b');
  });

  test.each([
    ['scope/registrations/id', 'scope/registrations/id', true],
    ['SCOPE/Registrations/ID', 'scope/registrations/id', true],
    ['a/b', 'a/b/c', true],
    ['a/b/', 'a/b/c', true],
    ['a/b', 'a/bc', false],
    ['a/b/c', 'a/b', false],
    ['', 'a', false],
    ['/', 'a', false],
  ])('%j covers %j: %j', (granted, requested, expected) => {
    expect(sasResourceCovers(granted, requested)).toBe(expected);
  });

  test.each([
    ['scope', () => registrationResource('no/slash', 'id'), 'idScope'],
    ['registration id', () => registrationResource('scope', 'a b'), 'registrationId'],
    ['device id', () => hubDeviceResource('host', 'a/b'), 'deviceId'],
    ['hub host', () => hubDeviceResource('https://host', 'a'), 'hubHost'],
    ['service host', () => serviceResource('a b'), 'serviceHost'],
  ])('refuse an unusable %s by name', (_name, action, argument) => {
    expect(thrownBy(action)).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', argument });
  });
});

describe('formatSasToken', () => {
  test('refuses a resource that is not encoded', () => {
    const fields = { resource: 'a&b', signature: new Uint8Array(32), expiresAtSeconds: 1 };
    expect(thrownBy(() => formatSasToken(fields))).toMatchObject({ argument: 'fields.resource' });
  });

  test('escapes the key name', () => {
    const fields = { resource: 'a', signature: new Uint8Array(32), expiresAtSeconds: 1, keyName: 'a&b' };
    expect(formatSasToken(fields)).toMatch(/&skn=a%26b$/);
  });
});

test('half a surrogate pair is refused as an argument, not with a URIError', () => {
  expect(thrownBy(() => percentEncode('a\ud800'))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
  expect(percentEncode('\u{1f600}')).toBe('%F0%9F%98%80');
});
