import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import type { RegistrationProgress, Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { assignedReply, assigningReply, createScriptedTransport } from '@endorse/testkit';
import { register } from '@endorse/registration-core';
import { describe, expect, it } from 'vitest';
import {
  createFakeSymmetricKey,
  createFakeTokenIssuer,
  createFakeTpm,
  createFakeX509,
  fakeEndorsementKey,
  fakeStorageRootKey,
} from './support/fake-identities.ts';
import { runToEnd } from './support/run.ts';
import {
  challenge,
  happyTpmScript,
  hubKey,
  operationId,
  pollWith,
  registerWith,
  registrationKey,
  target,
} from './support/scripts.ts';

describe('register() with a TPM', () => {
  it('walks from the challenge to the hub key and reports each step', async () => {
    const clock = new VirtualClock();
    const transport = createScriptedTransport(happyTpmScript);
    const securityClient = createFakeTpm();
    const progress: RegistrationProgress[] = [];
    const outcome = await runToEnd(
      clock,
      register({
        ...target,
        transport,
        securityClient,
        clock,
        onProgress: (report) => progress.push(report),
      }),
    );
    transport.assertDone();
    expect(outcome).toMatchObject({
      status: 'fulfilled',
      value: {
        status: 'assigned',
        substatus: 'initialAssignment',
        registrationId: 'tpm-device-1',
        operationId,
        assignedHub: 'hub.example.test',
        deviceId: 'tpm-device-1',
        registrationState: { tpm: { authenticationKey: hubKey } },
      },
    });
    expect(securityClient.identityKey).toEqual(hubKey);
    expect(progress.map(({ event }) => event)).toEqual([
      'registration-started',
      'identity-read',
      'challenge-requested',
      'challenge-received',
      'key-activated',
      'token-signed',
      'register-sent',
      'operation-polled',
      'waiting',
      'operation-polled',
      'waiting',
      'operation-polled',
      'key-activated',
      'registration-assigned',
    ]);
    expect(clock.pendingSleeps).toBe(0);
  });

  it('sends the public keys, the payload and a token that verifies under the challenge key', async () => {
    const clock = new VirtualClock();
    const payload = { site: 'Zürich', slots: [1, 2] };
    const transport = createScriptedTransport([
      challenge,
      {
        call: 'register',
        answer: {
          run: ({ sasToken, registrationInfo }) => {
            expect(registrationInfo).toEqual({
              registrationId: 'tpm-device-1',
              endorsementKey: fakeEndorsementKey,
              storageRootKey: fakeStorageRootKey,
              payload,
              forceRegistration: true,
            });
            const token = parseSasToken(sasToken?.revealText() ?? '');
            expect(token.rawResource).toBe('0ne00000001%2Fregistrations%2Ftpm-device-1');
            expect(token.expiresAtSeconds).toBe(Math.ceil(clock.now() / 1000) + 3600);
            expect(token.keyName).toBe('registration');
            expect(verifySasSignature(token, registrationKey)).toBe(true);
            return assignedReply(operationId, {
              registrationId: 'tpm-device-1',
              hubKey,
              state: { payload: { welcome: true } },
            });
          },
        },
      },
    ]);
    const result = await register({
      ...target,
      transport,
      securityClient: createFakeTpm(),
      clock,
      payload,
      forceRegistration: true,
    });
    transport.assertDone();
    expect(result.payload).toEqual({ welcome: true });
  });
});

describe('register() with software identities', () => {
  it('signs a token with a symmetric key and needs no challenge', async () => {
    const clock = new VirtualClock();
    const key = new TextEncoder().encode('0123456789abcdef');
    const transport = createScriptedTransport([
      {
        call: 'register',
        answer: {
          run: ({ sasToken, registrationInfo }) => {
            expect(registrationInfo).toEqual({ registrationId: 'key-device-1' });
            const token = parseSasToken(sasToken?.revealText() ?? '');
            expect(token.rawResource).toBe('0ne00000001/registrations/key-device-1');
            expect(verifySasSignature(token, key)).toBe(true);
            return assigningReply(operationId);
          },
        },
      },
      pollWith(assignedReply(operationId, { registrationId: 'key-device-1' })),
    ]);
    const outcome = await runToEnd(
      clock,
      register({
        ...target,
        transport,
        securityClient: createFakeSymmetricKey(key),
        clock,
        sasResourceEncoding: 'raw',
      }),
    );
    transport.assertDone();
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { deviceId: 'key-device-1' } });
  });

  it('asks a token issuer for tokens, anew before one runs out, and overwrites each', async () => {
    const clock = new VirtualClock();
    const shown: string[] = [];
    const held: Secret[] = [];
    const show = ({ sasToken }: { readonly sasToken?: Secret }): void => {
      if (sasToken === undefined) throw new Error('no token');
      shown.push(sasToken.revealText());
      held.push(sasToken);
    };
    const transport = createScriptedTransport([
      {
        call: 'register',
        answer: {
          run: (request) => {
            show(request);
            return assigningReply(operationId, 3000);
          },
        },
      },
      {
        call: 'queryOperationStatus',
        answer: {
          run: (request) => {
            show(request);
            return assignedReply(operationId, { registrationId: 'issued-device-1' });
          },
        },
      },
    ]);
    const securityClient = createFakeTokenIssuer(clock, [61_000, 3_600_000]);
    const outcome = await runToEnd(clock, register({ ...target, transport, securityClient, clock }));
    transport.assertDone();
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { deviceId: 'issued-device-1' } });
    expect(shown).toEqual(['token 1', 'token 2']);
    expect(securityClient.asked).toEqual(['0ne00000001', '0ne00000001']);
    for (const token of held) expect(() => token.reveal()).toThrow('disposed');
  });

  it('shows the certificate to the session and sends no token', async () => {
    const clock = new VirtualClock();
    const transport = createScriptedTransport([
      registerWith(assignedReply(operationId, { registrationId: 'x509-device-1' })),
    ]);
    await register({ ...target, transport, securityClient: createFakeX509(), clock });
    transport.assertDone();
    expect(transport.calls).toMatchObject([
      { call: 'openSession', attestation: { kind: 'x509', certificate: { certificatePem: 'certificate' } } },
      { call: 'register', request: { registrationInfo: { registrationId: 'x509-device-1' } } },
      { call: 'close' },
    ]);
    expect(transport.calls[1]).not.toHaveProperty('request.sasToken');
  });
});
