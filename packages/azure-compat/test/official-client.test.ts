/** The official `ProvisioningDeviceClient`, unmodified, on our transport and our TPM security client. */
import { toAzureTpmSecurityClient, toAzureTransport } from '@endorse/azure-compat';
import type { Secret } from '@endorse/interface';
import { ServiceError } from '@endorse/interface';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import { assignedReply, assigningReply, createScriptedTransport, failedReply } from '@endorse/testkit';
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

function createClient(
  transport: ReturnType<typeof createScriptedTransport>,
  securityClient = createFakeTpm(),
) {
  return ProvisioningDeviceClient.create(
    target.provisioningHost,
    target.idScope,
    toAzureTransport(transport),
    toAzureTpmSecurityClient(securityClient),
  );
}

describe('the official client', () => {
  it('registers and leaves the hub key in our TPM', async () => {
    const tokens: string[] = [];
    const transport = createScriptedTransport([
      challenge,
      {
        call: 'register',
        answer: {
          run: ({ sasToken }) => {
            tokens.push(sasToken?.revealText() ?? '');
            return assigningReply(operationId, 0);
          },
        },
      },
      { call: 'queryOperationStatus', answer: { reply: assigned } },
    ]);
    const securityClient = createFakeTpm();
    const client = createClient(transport, securityClient);
    client.setProvisioningPayload({ site: 7 });
    const result = await client.register();
    transport.assertDone();
    expect(result).toMatchObject({
      operationId,
      status: 'assigned',
      registrationState: {
        assignedHub: 'hub.example.test',
        deviceId: registrationId,
        tpm: { authenticationKey: symmetricKey.toString('base64') },
      },
    });
    expect(securityClient.identityKeys.map((key) => Buffer.from(key))).toEqual([sessionKey, symmetricKey]);
    expect(verifySasSignature(parseSasToken(tokens[0] ?? ''), sessionKey)).toBe(true);
    expect(transport.calls[2]).toMatchObject({
      call: 'register',
      request: { registrationInfo: { registrationId, payload: { site: 7 } } },
    });
    expect(transport.calls.at(-1)).toMatchObject({ call: 'close' });
  });

  it('registers with its callback, which is called once', async () => {
    const transport = createScriptedTransport([challenge, { call: 'register', answer: { reply: assigned } }]);
    const calls: unknown[] = [];
    await new Promise<void>((resolve) => {
      void createClient(transport).register((error, result) => {
        calls.push([error, result?.['registrationState']]);
        resolve();
      });
    });
    await settle();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject([null, { deviceId: registrationId }]);
  });

  it.each(['getAuthenticationChallenge', 'register'] as const)('gets our very error of %s', async (call) => {
    const error = new ServiceError('no', { status: 404 });
    const script = call === 'register' ? [challenge] : [];
    const transport = createScriptedTransport([...script, { call, answer: { error } }]);
    expect(await Promise.resolve(createClient(transport).register()).catch((reason: unknown) => reason)).toBe(
      error,
    );
  });

  it('reads a failed allocation as it does over its own transports', async () => {
    const transport = createScriptedTransport([
      challenge,
      { call: 'register', answer: { reply: failedReply(operationId, 400_207, 'the webhook said no') } },
    ]);
    await expect(createClient(transport).register()).rejects.toMatchObject({
      message: 'registration failed',
      result: { registrationState: { errorCode: 400_207, errorMessage: 'the webhook said no' } },
    });
  });

  it("gets our TPM's very error", async () => {
    const error = new Error('the TPM refused the key');
    const securityClient = createFakeTpm();
    securityClient.activateIdentityKey = () => Promise.reject(error);
    const transport = createScriptedTransport([challenge]);
    const registering = Promise.resolve(createClient(transport, securityClient).register());
    expect(await registering.catch((reason: unknown) => reason)).toBe(error);
  });
});

describe('toAzureTransport', () => {
  it('aborts the request in flight on cancel, calling cancel back first', async () => {
    const transport = createScriptedTransport([
      { call: 'getAuthenticationChallenge', answer: { hang: true } },
    ]);
    const theirs = toAzureTransport(transport);
    theirs.setTpmInformation(Buffer.of(1), Buffer.of(2));
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
    const theirs = toAzureTransport(transport);
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
    const theirs = toAzureTransport(transport);
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
    const theirs = toAzureTransport(transport);
    const request = { ...target, registrationId };
    const text = 'SharedAccessSignature x';
    theirs.setTpmInformation(Buffer.of(1), Buffer.of(2));
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
    const theirs = toAzureTransport(transport);
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
      (theirs: ReturnType<typeof toAzureTransport>, done: (error?: Error | null) => void) =>
        theirs.getAuthenticationChallenge({ ...target, registrationId }, done),
      'ERR_LOCAL_STATE',
    ],
    [
      'a request without a registration id',
      (theirs: ReturnType<typeof toAzureTransport>, done: (error?: Error | null) => void) =>
        theirs.registrationRequest({ ...target }, done),
      'ERR_INVALID_ARGUMENT',
    ],
  ])('calls back with an error for %s', async (_what, start, code) => {
    const theirs = toAzureTransport(createScriptedTransport([]));
    const error = await new Promise((resolve) => start(theirs, resolve));
    expect(error).toMatchObject({ code });
  });

  it('calls a second request beside the first back with an error', async () => {
    const theirs = toAzureTransport(createScriptedTransport([{ call: 'register', answer: { hang: true } }]));
    const request = { ...target, registrationId };
    theirs.registrationRequest(request, () => undefined);
    const error = await new Promise((resolve) => theirs.registrationRequest(request, resolve));
    expect(error).toMatchObject({ code: 'ERR_LOCAL_STATE' });
  });

  it('refuses a transport that carries no TPM, and anything that is no transport', () => {
    expect(() => toAzureTransport(createScriptedTransport([], { attestations: ['x509'] }))).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_CAPABILITY' }),
    );
    expect(() => toAzureTransport({} as never)).toThrow(expect.objectContaining({ argument: 'transport' }));
    expect(() => toAzureTpmSecurityClient({} as never)).toThrow(
      expect.objectContaining({ argument: 'securityClient' }),
    );
  });
});
