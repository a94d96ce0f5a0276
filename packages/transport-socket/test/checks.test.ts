import { Secret } from '@endorse/interface';
import {
  checkConnectionOptions,
  checkOptionNames,
  checkRequestOptions,
  checkTarget,
  checkToken,
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
  const check = expect(() => checkToken(attestation, token));
  if (isFine) check.not.toThrowError();
  else check.toThrowError(expect.objectContaining({ argument: 'request.sasToken' }));
});

test('a misspelt option is refused, and connecting needs none', () => {
  const names = new Set<string>(connectionOptionNames);
  expect(() => checkOptionNames({ cA: '' }, names)).toThrowError(/options\.cA is not an option/);
  expect(checkConnectionOptions({})).toMatchObject({ ca: undefined, proxyCa: undefined });
});

test('a request is refused by a closed session, without a signal, and with an aborted one', () => {
  const open = new AbortController().signal;
  const reason = new Error('changed my mind');
  expect(() => checkRequestOptions(open, { signal: open })).not.toThrowError();
  expect(() => checkRequestOptions(AbortSignal.abort(), { signal: open })).toThrowError(
    expect.objectContaining({ code: 'ERR_SESSION_CLOSED' }),
  );
  expect(() => checkRequestOptions(open, undefined as never)).toThrowError(
    expect.objectContaining({ argument: 'options.signal' }),
  );
  expect(() => checkRequestOptions(open, { signal: AbortSignal.abort(reason) })).toThrowError(reason);
});
