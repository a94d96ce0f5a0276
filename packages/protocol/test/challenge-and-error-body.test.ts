/** Oracle: bodies of the shapes the real service has sent (vectors/bodies.json). */
import { describe, expect, test } from 'vitest';
import {
  decodeChallengeBody,
  decodeOperationStatus,
  decodeServiceErrorBody,
  encodeChallengeBody,
  encodeServiceErrorBody,
  tryDecodeChallengeBody,
} from '@endorse/protocol';
import { readVectors, thrownBy } from './vectors.ts';

type Bodies = Readonly<
  Record<
    'accepted' | 'assigning' | 'assigned' | 'disabled' | 'failed' | 'challenge' | 'unauthorized' | 'notFound',
    string
  >
>;
const bodies = readVectors('bodies') as Bodies;
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
