import type { RegistrationReply } from '@endorse/interface';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import type { ScriptStep } from '@endorse/testkit';
import { assigningReply } from '@endorse/testkit';
import { describe, expect, it } from 'vitest';
import { createFakeSymmetricKey } from './support/fake-identities.ts';
import { callsOf, runScript } from './support/run-script.ts';
import {
  assigned,
  challenge,
  failWith,
  lost,
  operationId,
  pollWith,
  registerWith,
  registrationKey,
  throttled,
  unauthorized,
  unknownOperation,
} from './support/scripts.ts';

const fulfilled = { status: 'fulfilled' };

describe('a refused token', () => {
  it('makes a TPM ask for a new challenge and go on polling the same operation', async () => {
    const second = Uint8Array.from(registrationKey, (byte) => byte ^ 255);
    const { outcome, transport } = await runScript([
      challenge,
      registerWith(assigningReply(operationId)),
      failWith('queryOperationStatus', unauthorized()),
      {
        call: 'getAuthenticationChallenge',
        answer: { reply: { activationBlob: second, keyName: 'other-key' } },
      },
      {
        call: 'queryOperationStatus',
        answer: {
          run: ({ sasToken, operationId: asked }) => {
            const token = parseSasToken(sasToken?.revealText() ?? '');
            expect([token.keyName, verifySasSignature(token, second), asked]).toEqual([
              'other-key',
              true,
              operationId,
            ]);
            return assigned;
          },
        },
      },
    ]);
    expect(outcome).toMatchObject(fulfilled);
    expect(callsOf(transport).filter((call) => call === 'register')).toHaveLength(1);
  });

  it('is an error the second time: a 401 loop wears the TPM out', async () => {
    const last = unauthorized();
    const { outcome, securityClient } = await runScript([
      challenge,
      failWith('register', unauthorized()),
      challenge,
      failWith('register', last),
    ]);
    expect(outcome.status === 'rejected' && outcome.reason).toBe(last);
    expect(securityClient.calls.filter(({ method }) => method === 'activateIdentityKey')).toHaveLength(2);
  });

  it('is an error at once with a symmetric key: the same key would be refused again', async () => {
    const error = unauthorized();
    const { outcome } = await runScript([failWith('register', error)], {
      securityClient: createFakeSymmetricKey(registrationKey),
    });
    expect(outcome.status === 'rejected' && outcome.reason).toBe(error);
  });
});

describe('a lost connection on a carrier whose challenge is part of connecting', () => {
  it.each(['register', 'queryOperationStatus'] as const)('during %s needs a new challenge', async (call) => {
    const before = call === 'register' ? [] : [registerWith(assigningReply(operationId))];
    const { outcome, transport, securityClient } = await runScript(
      [challenge, ...before, failWith(call, lost()), challenge, { call, answer: { reply: assigned } }],
      { carrierChallenge: 'handshake' },
    );
    expect(outcome).toMatchObject(fulfilled);
    expect(callsOf(transport).filter((name) => name === 'getAuthenticationChallenge')).toHaveLength(2);
    expect(securityClient.calls.filter(({ method }) => method === 'signWithIdentity')).toHaveLength(2);
  });

  it('keeps the authenticated connection when the service is only busy', async () => {
    const { transport } = await runScript(
      [challenge, failWith('register', throttled(1)), registerWith(assigned)],
      {
        carrierChallenge: 'handshake',
      },
    );
    expect(callsOf(transport).filter((name) => name === 'getAuthenticationChallenge')).toHaveLength(1);
  });
});

describe('the life of a token', () => {
  const minute: RegistrationReply = assigningReply(operationId, 60_000);

  it('is renewed, without a new challenge, when a long assignment outlives it', async () => {
    const tokens: string[] = [];
    const { outcome, transport } = await runScript(
      [
        challenge,
        ...[0, 1, 2].map((index): ScriptStep => ({
          call: index === 0 ? 'register' : 'queryOperationStatus',
          answer: {
            run: ({ sasToken }: { readonly sasToken?: { revealText(): string } }) => {
              tokens.push(sasToken?.revealText() ?? '');
              return minute;
            },
          },
        })),
        pollWith(assigned),
      ],
      { sasLifetimeMs: 100_000 },
    );
    expect(outcome).toMatchObject(fulfilled);
    expect(callsOf(transport).filter((name) => name === 'getAuthenticationChallenge')).toHaveLength(1);
    // Signed at 0 s for 100 s; at 60 s there are 40 s left, at 120 s it is renewed.
    expect(tokens.map((token) => parseSasToken(token).expiresAtSeconds - 1_700_000_000)).toEqual([
      100, 100, 220,
    ]);
  });

  it('is not renewed where it was shown when connecting', async () => {
    const { securityClient } = await runScript(
      [challenge, registerWith(minute), pollWith(minute), pollWith(assigned)],
      { sasLifetimeMs: 100_000, carrierChallenge: 'handshake' },
    );
    expect(securityClient.calls.filter(({ method }) => method === 'signWithIdentity')).toHaveLength(1);
  });
});

describe('an operation', () => {
  it('is resumed: challenged, then asked about, never registered', async () => {
    const { outcome, transport } = await runScript([challenge, pollWith(assigned)], {
      resume: { operationId },
    });
    expect(outcome).toMatchObject({ status: 'fulfilled', value: { operationId, deviceId: 'tpm-device-1' } });
    expect(transport.calls[2]).toHaveProperty('request.operationId', operationId);
  });

  it('that the service no longer knows is registered anew, once', async () => {
    const last = unknownOperation();
    const { outcome } = await runScript([
      challenge,
      registerWith(assigningReply(operationId)),
      failWith('queryOperationStatus', unknownOperation()),
      registerWith(assigningReply('5.other')),
      failWith('queryOperationStatus', last),
    ]);
    expect(outcome.status === 'rejected' && outcome.reason).toBe(last);
  });

  it('whose resumption fails with 404 is registered anew', async () => {
    const { outcome } = await runScript(
      [challenge, failWith('queryOperationStatus', unknownOperation()), registerWith(assigned)],
      { resume: { operationId: '5.forgotten' } },
    );
    expect(outcome).toMatchObject(fulfilled);
  });

  it('that is unassigned is in progress, as other clients read it', async () => {
    const { outcome } = await runScript([
      challenge,
      registerWith({ operation: { operationId, status: 'unassigned' } }),
      pollWith(assigned),
    ]);
    expect(outcome).toMatchObject(fulfilled);
  });
});
