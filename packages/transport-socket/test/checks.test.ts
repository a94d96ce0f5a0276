import { Secret } from '@endorse/interface';
import {
  checkAttestation,
  checkChallengeRequest,
  checkConnectionOptions,
  checkOptionNames,
  checkRegisterRequest,
  checkStatusRequest,
  checkTarget,
  connectionOptionNames,
} from '@endorse/transport-socket';
import { expect, test } from 'vitest';

const target = { provisioningHost: 'dps.example', idScope: '0ne1', registrationId: 'device-1' };

test.each([
  ['dps.example', { host: 'dps.example', port: 8883 }],
  ['dps.example:8443', { host: 'dps.example', port: 8443 }],
  ['[::1]', { host: '::1', port: 8883 }],
])('the port of %s is its own, or the default of the carrier', (provisioningHost, expected) => {
  expect(checkTarget({ ...target, provisioningHost }, 8883)).toMatchObject(expected);
});

test.each([
  [{ ...target, provisioningHost: 'https://dps.example' }, 'target.provisioningHost'],
  [{ ...target, idScope: '' }, 'target.idScope'],
  [{ ...target, registrationId: 'a/b' }, 'target.registrationId'],
  [null, 'target'],
])('an unusable target is refused by name (%#)', (given, argument) => {
  expect(() => checkTarget(given as typeof target, 443)).toThrowError(expect.objectContaining({ argument }));
});

test.each<readonly ['x509' | 'symmetric-key', Secret | undefined, boolean]>([
  ['x509', undefined, true],
  ['x509', Secret.fromText('token'), false],
  ['symmetric-key', Secret.fromText('SharedAccessSignature sr=x'), true],
  ['symmetric-key', undefined, false],
  ['symmetric-key', Secret.fromText('two\r\nlines'), false],
])('%s with the token %s', (attestation, token, isFine) => {
  const { registrationId } = target;
  const sasToken = token as Secret;
  for (const check of [
    () => checkRegisterRequest({ target, attestation }, { registrationInfo: { registrationId }, sasToken }),
    () => checkStatusRequest({ target, attestation }, { registrationId, operationId: '5.0.op', sasToken }),
  ]) {
    if (isFine) expect(check).not.toThrowError();
    else expect(check).toThrowError(expect.objectContaining({ argument: 'request.sasToken' }));
  }
});

const tpm = { target, attestation: 'tpm' } as const;
const challenge = { ...target, endorsementKey: new Uint8Array(316), storageRootKey: new Uint8Array(284) };
const sasToken = Secret.fromText('SharedAccessSignature sr=x');

test.each([
  ['provisioningHost', () => checkChallengeRequest(tpm, { ...challenge, provisioningHost: 'other.example' })],
  ['idScope', () => checkChallengeRequest(tpm, { ...challenge, idScope: '0ne2' })],
  ['registrationId', () => checkChallengeRequest(tpm, { ...challenge, registrationId: 'device-2' })],
  [
    'registrationInfo.registrationId',
    () => checkRegisterRequest(tpm, { registrationInfo: { registrationId: 'device-2' }, sasToken }),
  ],
  [
    'registrationId',
    () => checkStatusRequest(tpm, { registrationId: 'device-2', operationId: '5.0.op', sasToken }),
  ],
])('a request with another %s than its session is refused by name', (part, check) => {
  expect(check).toThrowError(expect.objectContaining({ argument: `request.${part}` }));
});

test('only a TPM is challenged', () => {
  expect(() => checkChallengeRequest(tpm, challenge)).not.toThrowError();
  expect(() => checkChallengeRequest({ target, attestation: 'x509' }, challenge)).toThrowError(
    expect.objectContaining({ code: 'ERR_LOCAL_STATE', state: 'x509' }),
  );
});

test('an attestation that the carrier does not have is refused with what it has', () => {
  const check = (given: unknown): string => checkAttestation('MQTT', ['symmetric-key'], given as never);
  expect(check({ kind: 'symmetric-key' })).toBe('symmetric-key');
  expect(() => check({ kind: 'tpm' })).toThrowError(
    expect.objectContaining({ required: 'tpm', available: ['symmetric-key'] }),
  );
  expect(() => check(undefined)).toThrowError(expect.objectContaining({ argument: 'attestation' }));
});

test('a misspelt option is refused, and connecting needs none', () => {
  const names = new Set<string>(connectionOptionNames);
  expect(() => checkOptionNames({ cA: '' }, names)).toThrowError(/options\.cA is not an option/);
  expect(checkConnectionOptions({})).toMatchObject({ ca: undefined, proxyCa: undefined });
});
