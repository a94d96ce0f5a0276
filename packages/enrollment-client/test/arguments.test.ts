/** What is refused before anything is sent: there is no service behind these clients. */
import { generateKeyPairSync } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { encodeTpm2bPublic, srkTemplateRsa2048 } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';
import type { IndividualEnrollment } from '@endorse/enrollment-client';
import { createEnrollmentClient, tpmEnrollment } from '@endorse/enrollment-client';
import { endorsementKey } from './support/fixture.ts';

const key = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const connectionString = `HostName=dps.example.test;SharedAccessKeyName=owner;SharedAccessKey=${key}`;
const good = { connectionString };
const parts = {
  hostName: 'dps.example.test',
  sharedAccessKeyName: 'owner',
  sharedAccessKey: Secret.fromBase64(key),
};

describe('options', () => {
  test.each<[string, object, string, string?]>([
    ['nothing', {}, 'options.connectionString'],
    ['a misspelt name', { ...good, connectonString: 'x' }, 'options.connectonString'],
    ['a connection string without a key', { connectionString: 'HostName=x' }, 'options.connectionString'],
    [
      '[C5] a key that is not base64',
      { connectionString: 'HostName=dps.example.test;SharedAccessKeyName=owner;SharedAccessKey=secret!' },
      'options.connectionString',
    ],
    ['a connection string of another type', { connectionString: 7 }, 'options.connectionString'],
    ['a connection string and a part', { ...good, hostName: 'x' }, 'options.hostName'],
    ['a host that is none', { ...parts, hostName: 'https://x/' }, 'options.hostName'],
    ['no policy name', { ...parts, sharedAccessKeyName: undefined }, 'options.sharedAccessKeyName'],
    ['a bad policy name', { ...parts, sharedAccessKeyName: 'a;b' }, 'options.sharedAccessKeyName'],
    ['a key in clear', { ...parts, sharedAccessKey: key }, 'options.sharedAccessKey'],
    ['ca', { ...good, ca: 'nonsense' }, 'options.ca'],
    ['proxyUrl', { ...good, proxyUrl: 'socks5://user:secret@x' }, 'options.proxyUrl'],
    [
      'two proxies',
      { ...good, proxyUrl: 'http://x', proxyFromEnvironment: true },
      'options.proxyFromEnvironment',
    ],
    ['apiVersion', { ...good, apiVersion: 'latest' }, 'options.apiVersion'],
    ['userAgent', { ...good, userAgent: 'a\nb' }, 'options.userAgent'],
    ['requestTimeoutMs', { ...good, requestTimeoutMs: 0 }, 'options.requestTimeoutMs', 'ERR_OUT_OF_RANGE'],
    ['tokenLifetimeMs', { ...good, tokenLifetimeMs: 9e9 }, 'options.tokenLifetimeMs', 'ERR_OUT_OF_RANGE'],
    ['maxRetries', { ...good, maxRetries: 11 }, 'options.maxRetries', 'ERR_OUT_OF_RANGE'],
    ['maxRetryDelayMs', { ...good, maxRetryDelayMs: -1 }, 'options.maxRetryDelayMs', 'ERR_OUT_OF_RANGE'],
    ['maxConnections', { ...good, maxConnections: 0 }, 'options.maxConnections', 'ERR_OUT_OF_RANGE'],
  ])('%s', (_title, options, argument, code = 'ERR_INVALID_ARGUMENT') => {
    let thrown: unknown;
    try {
      createEnrollmentClient(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'InvalidArgumentError', argument, code });
    expect(String(thrown)).not.toMatch(/c2Vjc|secret/);
  });
});

describe('arguments', () => {
  const { enrollments, enrollmentGroups, registrations } = createEnrollmentClient(good);
  const enrollment = tpmEnrollment({ endorsementKey, registrationId: 'r' });
  const withKey = (bytes: unknown): IndividualEnrollment =>
    ({ registrationId: 'r', attestation: { type: 'tpm', endorsementKey: bytes } }) as IndividualEnrollment;
  const spki = new Uint8Array(
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signingKey = encodeTpm2bPublic({
    ...srkTemplateRsa2048,
    objectAttributes: 0x0004_0072,
    symmetric: null,
    unique: new Uint8Array(256).fill(0xc1),
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['an id that is none', () => enrollments.get('a b'), 'registrationId'],
    ['a group id that is none', () => enrollmentGroups.delete('a/b'), 'enrollmentGroupId'],
    ['a registration id that is none', () => registrations.get(''), 'registrationId'],
    ['no enrollment', () => enrollments.create(undefined as never), 'enrollment'],
    ['no group', () => enrollmentGroups.create(null as never), 'group'],
    ['no attestation', () => enrollments.create({ registrationId: 'r' } as never), 'enrollment.attestation'],
    [
      'an endorsement key in base64',
      () => enrollments.create(withKey('AToAAQ==')),
      'enrollment.attestation.endorsementKey',
    ],
    [
      'bytes that are no key',
      () => enrollments.create(withKey(new Uint8Array(316))),
      'enrollment.attestation.endorsementKey',
    ],
    [
      'the key without its size',
      () => enrollments.create(withKey(endorsementKey.slice(2))),
      'enrollment.attestation.endorsementKey',
    ],
    ['a signing key', () => enrollments.create(withKey(signingKey)), 'enrollment.attestation.endorsementKey'],
    [
      'a bad key in bulk',
      () => enrollments.bulk('create', [enrollment, withKey(spki)]),
      'enrollment.attestation.endorsementKey',
    ],
    ['a mode that is none', () => enrollments.bulk('upsert' as never, [enrollment]), 'mode'],
    ['nothing in bulk', () => enrollments.bulk('create', []), 'items'],
    ['no list in bulk', () => enrollments.bulk('create', enrollment as never), 'items'],
    [
      'one id twice',
      () => enrollments.bulk('create', [enrollment, { ...enrollment, registrationId: 'R' }]),
      'items',
    ],
    ['an etag that is none', () => enrollments.delete('r', { ifMatch: 'a\r\nb' }), 'options.ifMatch'],
    ['a signal that is none', () => enrollments.get('r', { signal: 7 as never }), 'options.signal'],
  ])('%s', async (_title, call, argument) => {
    await expect(call()).rejects.toMatchObject({ name: 'InvalidArgumentError', argument });
  });

  test.each<[string, () => unknown, string]>([
    ['an empty query', () => enrollments.query(' '), 'query'],
    ['a page without rows', () => enrollments.query('SELECT *', { pageSize: 0 }), 'options.pageSize'],
    ['a key that is none', () => tpmEnrollment({ endorsementKey: 'nonsense' }), 'options.endorsementKey'],
  ])('%s', (_title, call, argument) => {
    expect(call).toThrowError(expect.objectContaining({ name: 'InvalidArgumentError', argument }) as Error);
  });

  test('a key in another form is named, and converted where that is wanted', async () => {
    await expect(enrollments.create(withKey(spki))).rejects.toThrow('in the form spki-der');
    const converted = tpmEnrollment({ endorsementKey: spki });
    expect(converted.attestation).toMatchObject({ type: 'tpm', endorsementKey: { byteLength: 316 } });
  });

  test('a signal that is aborted rejects with its reason', async () => {
    const reason = new Error('enough');
    await expect(enrollments.get('r', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
