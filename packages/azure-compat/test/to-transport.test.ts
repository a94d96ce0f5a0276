/** Our transport behind the interfaces of official transports, called as the official client does. */
import type {
  AzureSymmetricKeyProvisioningTransport,
  AzureTpmProvisioningTransport,
  AzureX509ProvisioningTransport,
} from '@endorse/azure-compat';
import { toAzureTpmSecurityClient, toAzureTransport } from '@endorse/azure-compat';
import type { Secret } from '@endorse/interface';
import type { ScriptedTransport } from '@endorse/testkit';
import {
  assignedReply,
  assigningReply,
  createScriptedTransport,
  createTestAuthority,
} from '@endorse/testkit';
import { ProvisioningDeviceClient } from 'azure-iot-provisioning-device';
import { describe, expect, it } from 'vitest';
import { registrationId, sessionKey, settle, symmetricKey, target } from './support/callback-parts.ts';
import { createFakeTpm } from './support/fake-tpm.ts';

const operationId = '5.316aac5bdc130deb.11111111-2222-4333-8444-555555555555';
const challenge = {
  call: 'getAuthenticationChallenge',
  answer: { reply: { activationBlob: Uint8Array.from(sessionKey), keyName: 'registration' } },
} as const;
const assigned = assignedReply(operationId, { registrationId, hubKey: Uint8Array.from(symmetricKey) });
const certificate = createTestAuthority().issue({ commonName: registrationId });

/** Our transport as theirs, told the public keys of a TPM. */
function toTpmTransport(
  transport: ScriptedTransport,
  keys: 'keys' | 'no keys' = 'keys',
): AzureTpmProvisioningTransport<Error> {
  const theirs = toAzureTransport(transport);
  if (!('getAuthenticationChallenge' in theirs)) throw new Error('carries no TPM');
  if (keys === 'keys') theirs.setTpmInformation(Buffer.of(1), Buffer.of(2));
  return theirs;
}

describe('toAzureTransport', () => {
  it('aborts the request in flight on cancel, calling cancel back first', async () => {
    const transport = createScriptedTransport([
      { call: 'getAuthenticationChallenge', answer: { hang: true } },
    ]);
    const theirs = toTpmTransport(transport);
    const order: unknown[] = [];
    theirs.getAuthenticationChallenge({ ...target, registrationId }, (error) => order.push(error));
    await settle();
    theirs.cancel((error) => order.push(['cancelled', error]));
    await settle();
    expect(order).toMatchObject([['cancelled', null], { code: 'ERR_REGISTRATION_CANCELLED' }]);
    theirs.disconnect((error) => order.push(['disconnected', error]));
    await settle();
    expect(order.slice(2)).toEqual([['disconnected', null]]);
    transport.assertDone();
  });

  it('polls every 2 s when the service does not say, else as it says', async () => {
    const transport = createScriptedTransport([
      { call: 'register', answer: { reply: assigningReply(operationId) } },
      { call: 'queryOperationStatus', answer: { reply: assigningReply(operationId, 7000) } },
    ]);
    const theirs = toTpmTransport(transport);
    const request = { ...target, registrationId };
    const intervals: unknown[] = [];
    await new Promise<void>((resolve) => {
      theirs.registrationRequest(request, (_error, _result, _response, interval) => {
        intervals.push(interval);
        theirs.queryOperationStatus(request, operationId, (_failure, _answer, _more, next) => {
          intervals.push(next);
          resolve();
        });
      });
    });
    expect(intervals).toEqual([2000, 7000]);
  });

  it('opens another session for another device, and closes the first', async () => {
    const transport = createScriptedTransport([
      { call: 'register', answer: { reply: assigned } },
      { call: 'register', answer: { reply: assigned } },
    ]);
    const theirs = toTpmTransport(transport);
    const register = (id: string): Promise<unknown> =>
      new Promise((resolve) => theirs.registrationRequest({ ...target, registrationId: id }, resolve));
    await register('device-a');
    await register('device-b');
    expect(transport.calls.map(({ call, session }) => `${call} ${session}`)).toEqual([
      'openSession 1',
      'register 1',
      'close 1',
      'openSession 2',
      'register 2',
    ]);
  });

  it('overwrites the token when it asks for a new challenge', async () => {
    const tokens: Secret[] = [];
    const transport = createScriptedTransport([
      {
        call: 'register',
        answer: {
          run: ({ sasToken }) => {
            if (sasToken !== undefined) tokens.push(sasToken);
            return assigned;
          },
        },
      },
      challenge,
    ]);
    const theirs = toTpmTransport(transport);
    const request = { ...target, registrationId };
    const text = 'SharedAccessSignature x';
    await new Promise((resolve) => theirs.respondToAuthenticationChallenge(request, text, resolve));
    await new Promise((resolve) => theirs.registrationRequest(request, resolve));
    expect(tokens[0]?.revealText()).toBe(text);
    await new Promise((resolve) => theirs.getAuthenticationChallenge(request, resolve));
    expect(() => tokens[0]?.reveal()).toThrow('disposed');
  });

  it('aborts the request in flight on disconnect', async () => {
    let reason: unknown;
    const transport = createScriptedTransport([
      {
        call: 'register',
        answer: {
          run: (_request, signal) =>
            new Promise(() => {
              signal.addEventListener('abort', () => void (reason = signal.reason), { once: true });
            }),
        },
      },
    ]);
    const theirs = toTpmTransport(transport);
    const ends: unknown[] = [];
    theirs.registrationRequest({ ...target, registrationId }, (error) => ends.push(error));
    await settle();
    theirs.disconnect((error) => ends.push(error));
    await settle();
    expect(reason).toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED' });
    expect(ends).toHaveLength(2);
    expect(ends.filter((end) => end !== null)).toEqual([reason]);
    transport.assertDone();
  });

  it.each([
    [
      'a challenge without keys',
      (theirs: AzureTpmProvisioningTransport<Error>, done: (error?: Error | null) => void) =>
        theirs.getAuthenticationChallenge({ ...target, registrationId }, done),
      'ERR_LOCAL_STATE',
    ],
    [
      'a request without anything to authenticate with',
      (theirs: AzureTpmProvisioningTransport<Error>, done: (error?: Error | null) => void) =>
        theirs.registrationRequest({ ...target, registrationId }, done),
      'ERR_LOCAL_STATE',
    ],
    [
      'a request without a registration id',
      (theirs: AzureTpmProvisioningTransport<Error>, done: (error?: Error | null) => void) =>
        theirs.registrationRequest({ ...target }, done),
      'ERR_INVALID_ARGUMENT',
    ],
  ])('calls back with an error for %s', async (_what, start, code) => {
    const theirs = toTpmTransport(createScriptedTransport([]), 'no keys');
    const error = await new Promise((resolve) => start(theirs, resolve));
    expect(error).toMatchObject({ code });
  });

  it('calls a second request beside the first back with an error', async () => {
    const theirs = toTpmTransport(createScriptedTransport([{ call: 'register', answer: { hang: true } }]));
    const request = { ...target, registrationId };
    theirs.registrationRequest(request, () => undefined);
    const error = await new Promise((resolve) => theirs.registrationRequest(request, resolve));
    expect(error).toMatchObject({ code: 'ERR_LOCAL_STATE' });
  });

  it.each([
    [['tpm'], ['getAuthenticationChallenge']],
    [['symmetric-key'], ['setSharedAccessSignature']],
    [
      ['symmetric-key', 'x509'],
      ['setSharedAccessSignature', 'setAuthentication'],
    ],
  ] as const)(
    'that carries %s has of the methods the official client looks for %s',
    (attestations, methods) => {
      const theirs = toAzureTransport(createScriptedTransport([], { attestations: [...attestations] }));
      const lookedFor = ['getAuthenticationChallenge', 'setSharedAccessSignature', 'setAuthentication'];
      expect(lookedFor.filter((name) => name in theirs)).toEqual(methods);
    },
  );

  it('is refused by the official client for what it does not carry', () => {
    const theirs = toAzureTransport(createScriptedTransport([], { attestations: ['x509'] }));
    const { provisioningHost, idScope } = target;
    const securityClient = toAzureTpmSecurityClient(createFakeTpm());
    expect(() => ProvisioningDeviceClient.create(provisioningHost, idScope, theirs, securityClient)).toThrow(
      'Transport does not support TPM authentication',
    );
  });

  it('opens another session when it is to authenticate otherwise, but not for another token', async () => {
    const steps = Array.from(
      { length: 4 },
      () => ({ call: 'register', answer: { reply: assigned } }) as const,
    );
    const transport = createScriptedTransport(steps);
    // The scripted transport carries everything.
    const theirs = toAzureTransport(transport) as AzureSymmetricKeyProvisioningTransport<Error> &
      AzureX509ProvisioningTransport<Error>;
    const register = (): Promise<unknown> =>
      new Promise((resolve) => theirs.registrationRequest({ ...target, registrationId }, resolve));
    theirs.setSharedAccessSignature('token 1');
    await register();
    theirs.setSharedAccessSignature('token 2');
    await register();
    theirs.setAuthentication({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    await register();
    theirs.setAuthentication({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    await register();
    expect(transport.calls.map(({ call, session }) => `${call} ${session}`)).toEqual([
      'openSession 1',
      'register 1',
      'register 1',
      'close 1',
      'openSession 2',
      'register 2',
      'close 2',
      'openSession 3',
      'register 3',
    ]);
    expect(transport.calls[5]).not.toHaveProperty('request.sasToken');
  });

  it('keeps the polling interval it is given, and refuses options that it cannot keep', async () => {
    const transport = createScriptedTransport([
      { call: 'register', answer: { reply: assigningReply(operationId) } },
    ]);
    const theirs = toAzureTransport(transport);
    if (!('setTransportOptions' in theirs)) throw new Error('carries no X.509');
    theirs.setTransportOptions({ pollingInterval: 300 });
    for (const [options, code] of [
      [{ webSocketAgent: {} }, 'ERR_UNSUPPORTED_CAPABILITY'],
      [{ timeoutInterval: 5 }, 'ERR_UNSUPPORTED_CAPABILITY'],
      [{ pollingInterval: Number.NaN }, 'ERR_INVALID_ARGUMENT'],
    ] as const) {
      expect(() => theirs.setTransportOptions(options)).toThrow(expect.objectContaining({ code }));
    }
    theirs.setAuthentication({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    const interval = await new Promise((resolve) => {
      theirs.registrationRequest({ ...target, registrationId }, (_error, _result, _response, pause) =>
        resolve(pause),
      );
    });
    expect(interval).toBe(300);
  });

  it('refuses a transport that carries nothing, and anything that is no transport', () => {
    expect(() => toAzureTransport(createScriptedTransport([], { attestations: [] }))).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_CAPABILITY' }),
    );
    expect(() => toAzureTransport({} as never)).toThrow(expect.objectContaining({ argument: 'transport' }));
  });
});
