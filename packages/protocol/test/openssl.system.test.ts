/** Oracle: the OpenSSL and coreutils command lines, on random keys, ids and endorsement keys. */
import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSasToken, deriveGroupDeviceKey, deriveRegistrationId, parseSasToken } from '@endorse/protocol';

function opensslHmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const hexKey = Buffer.from(key).toString('hex');
  const command = ['mac', '-digest', 'SHA256', '-macopt', `hexkey:${hexKey}`, '-binary', 'HMAC'];
  return Uint8Array.from(execFileSync('openssl', command, { input: data }));
}

const rounds = Array.from({ length: 10 }, (_, index) => index);

test.each(rounds)('a token verifies with OpenSSL, round %i', async () => {
  const key = randomBytes(randomInt(16, 65));
  const resource = `0ne${randomBytes(4).toString('hex')}/registrations/device:${randomBytes(3).toString('hex')}`;
  const token = await createSasToken({
    resource,
    expiresAt: Date.now() + 3_600_000,
    keyName: 'registration',
    sign: async (data) => opensslHmac(key, data),
  });
  const { rawResource, expiresAtSeconds, signature } = parseSasToken(token.revealText());
  const signed = new TextEncoder().encode(`${rawResource}\n${expiresAtSeconds}`);
  expect(signature).toEqual(opensslHmac(key, signed));
});

test.each(rounds)('a group key derives as with OpenSSL, round %i', () => {
  const key = randomBytes(64);
  const registrationId = `device-${randomBytes(8).toString('hex')}`;
  expect(deriveGroupDeviceKey(key, registrationId)).toEqual(
    opensslHmac(key, new TextEncoder().encode(registrationId)),
  );
});

test.each(rounds)('a registration id is what sha256sum and base32 make of the key, round %i', () => {
  const body = randomBytes(randomInt(100, 600));
  const endorsementKey = Uint8Array.of(body.byteLength >> 8, body.byteLength & 0xff, ...body);
  const pipeline = 'openssl dgst -sha256 -binary | base32 | tr -d "=\\n" | tr A-Z a-z';
  const expected = execFileSync('sh', ['-c', pipeline], { input: endorsementKey }).toString();
  expect(deriveRegistrationId(endorsementKey)).toBe(expected);
  expect(expected).toMatch(/^[a-z2-7]{52}$/);
});
