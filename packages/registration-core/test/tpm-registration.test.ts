/** The requirements of TpmRegistration as a promise API; the ids name the requirement each test proves. */
import { createHmac } from 'node:crypto';
import type { RegisterRequest } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { parseSasToken } from '@endorse/protocol';
import type { ScriptStep } from '@endorse/testkit';
import { createScriptedTransport } from '@endorse/testkit';
import { RegistrationCancelledError, TpmRegistration } from '@endorse/registration-core';
import { describe, expect, it } from 'vitest';
import type { TpmCall } from './support/fake-identities.ts';
import { createFakeTpm, fakeEndorsementKey, fakeStorageRootKey } from './support/fake-identities.ts';
import { runToEnd } from './support/run.ts';
import {
  assigned,
  challenge,
  happyTpmScript,
  hubKey,
  operationId,
  registerWith,
  registrationKey,
  target,
} from './support/scripts.ts';

/** A TpmRegistration with its parts, on a script. */
function build(script: readonly ScriptStep[], hook?: Parameters<typeof createFakeTpm>[0]) {
  const clock = new VirtualClock();
  const transport = createScriptedTransport(script);
  const securityClient = createFakeTpm(hook);
  const registration = new TpmRegistration(
    target.provisioningHost,
    target.idScope,
    transport,
    securityClient,
    {
      clock,
    },
  );
  return { clock, transport, securityClient, registration };
}

/** What was passed to the nth call of a method. */
function bytesOf(calls: readonly TpmCall[], method: TpmCall['method'], nth = 0): Uint8Array | undefined {
  return calls.filter((call) => call.method === method)[nth]?.bytes;
}

describe('register()', () => {
  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_001] gets the endorsement key from the security client', async () => {
    const { clock, securityClient, registration, transport } = build(happyTpmScript);
    await runToEnd(clock, registration.register());
    expect(securityClient.calls[0]?.method).toBe('getEndorsementKey');
    expect(transport.calls[1]).toHaveProperty('request.endorsementKey', fakeEndorsementKey);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_002] gets the storage root key from the security client', async () => {
    const { clock, securityClient, registration, transport } = build(happyTpmScript);
    await runToEnd(clock, registration.register());
    expect(securityClient.calls[1]?.method).toBe('getStorageRootKey');
    expect(transport.calls[1]).toHaveProperty('request.storageRootKey', fakeStorageRootKey);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_003] asks the transport for a challenge with registration id, host and scope', async () => {
    const { clock, registration, transport } = build(happyTpmScript);
    await runToEnd(clock, registration.register());
    expect(transport.calls[1]).toMatchObject({
      call: 'getAuthenticationChallenge',
      request: {
        registrationId: 'tpm-device-1',
        provisioningHost: 'dps.example.test',
        idScope: '0ne00000001',
      },
    });
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_004] activates the session key of the challenge in the TPM', async () => {
    const { clock, registration, securityClient } = build(happyTpmScript);
    await runToEnd(clock, registration.register());
    expect(bytesOf(securityClient.calls, 'activateIdentityKey')).toEqual(registrationKey);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_005] signs resource and expiry, one hour from now, with the TPM', async () => {
    const { clock, registration, securityClient } = build(happyTpmScript);
    const expiresAtSeconds = Math.ceil(clock.now() / 1000) + 3600;
    await runToEnd(clock, registration.register());
    const signed = new TextDecoder().decode(bytesOf(securityClient.calls, 'signWithIdentity'));
    expect(signed).toBe(`0ne00000001%2Fregistrations%2Ftpm-device-1\n${expiresAtSeconds}`);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_005] signs the resource unencoded, and for another life, on request', async () => {
    const { clock, registration, securityClient } = build(happyTpmScript);
    const expiresAtSeconds = Math.ceil(clock.now() / 1000) + 120;
    await runToEnd(clock, registration.register({ sasResourceEncoding: 'raw', sasLifetimeMs: 120_000 }));
    const signed = new TextDecoder().decode(bytesOf(securityClient.calls, 'signWithIdentity'));
    expect(signed).toBe(`0ne00000001/registrations/tpm-device-1\n${expiresAtSeconds}`);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_006] makes a SAS token of audience, signature, expiry and key name', async () => {
    let text = '';
    const { clock, registration } = build([
      challenge,
      {
        call: 'register',
        answer: {
          run: ({ sasToken }) => {
            text = sasToken?.revealText() ?? '';
            return assigned;
          },
        },
      },
    ]);
    const expiresAtSeconds = Math.ceil(clock.now() / 1000) + 3600;
    await runToEnd(clock, registration.register());
    const audience = '0ne00000001%2Fregistrations%2Ftpm-device-1';
    const signature = createHmac('sha256', registrationKey)
      .update(`${audience}\n${expiresAtSeconds}`)
      .digest('base64');
    expect(text).toBe(
      `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiresAtSeconds}&skn=registration`,
    );
    expect(parseSasToken(text).resource).toBe('0ne00000001/registrations/tpm-device-1');
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_007] registers over the transport with the token and the registration info', async () => {
    const { clock, registration, transport } = build(happyTpmScript);
    await runToEnd(clock, registration.register());
    const call = transport.calls.find(({ call: name }) => name === 'register');
    const { sasToken, registrationInfo } = (call as { readonly request: RegisterRequest }).request;
    expect(sasToken?.byteLength).toBeGreaterThan(0);
    expect(registrationInfo).toEqual({
      registrationId: 'tpm-device-1',
      endorsementKey: fakeEndorsementKey,
      storageRootKey: fakeStorageRootKey,
    });
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_008] activates the key that came with the assignment in the TPM', async () => {
    const { clock, registration, securityClient } = build(happyTpmScript);
    await runToEnd(clock, registration.register());
    expect(bytesOf(securityClient.calls, 'activateIdentityKey', 1)).toEqual(hubKey);
    expect(securityClient.calls.at(-1)?.method).toBe('activateIdentityKey');
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_009] resolves, once the key is stored, with what the transport returned', async () => {
    let stored = false;
    const { clock, registration, securityClient } = build(happyTpmScript, {
      hook: async ({ bytes }) => {
        if (bytes?.[0] === hubKey[0]) {
          await clock.sleep(50, new AbortController().signal);
          stored = true;
        }
      },
    });
    const registering = registration.register().then((result) => ({ result, storedBefore: stored }));
    const outcome = await runToEnd(clock, registering);
    expect(securityClient.identityKey).toEqual(hubKey);
    expect(outcome).toEqual({
      status: 'fulfilled',
      value: {
        storedBefore: true,
        result: {
          status: 'assigned',
          substatus: 'initialAssignment',
          registrationId: 'tpm-device-1',
          operationId,
          assignedHub: 'hub.example.test',
          deviceId: 'tpm-device-1',
          registrationState: assigned.operation.registrationState,
        },
      },
    });
  });

  const tpmMethods: TpmCall['method'][] = [
    'getEndorsementKey',
    'getStorageRootKey',
    'getRegistrationId',
    'activateIdentityKey',
    'signWithIdentity',
  ];

  it.each(tpmMethods)(
    '[SRS_NODE_DPS_TPM_REGISTRATION_16_010] rejects with the very error of %s',
    async (failing) => {
      const error = new Error(`${failing} failed`);
      const { clock, registration, transport } = build(happyTpmScript, {
        hook: ({ method }) => {
          if (method === failing) throw error;
        },
      });
      const outcome = await runToEnd(clock, registration.register());
      expect(outcome.status === 'rejected' && outcome.reason).toBe(error);
      expect(transport.openSessions).toBe(0);
    },
  );

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_010] rejects with the very error of storing the hub key', async () => {
    const error = new Error('the TPM refused the hub key');
    const { clock, registration } = build(happyTpmScript, {
      hook: ({ bytes }) => {
        if (bytes?.[0] === hubKey[0]) throw error;
      },
    });
    const outcome = await runToEnd(clock, registration.register());
    expect(outcome.status === 'rejected' && outcome.reason).toBe(error);
  });

  it.each(['getAuthenticationChallenge', 'register', 'queryOperationStatus'] as const)(
    '[SRS_NODE_DPS_TPM_REGISTRATION_16_010] rejects with the very error of the transport in %s',
    async (failing) => {
      const error = new Error(`${failing} failed`);
      const script = happyTpmScript.slice(
        0,
        happyTpmScript.findIndex(({ call }) => call === failing),
      );
      const { clock, registration, transport } = build([...script, { call: failing, answer: { error } }]);
      const outcome = await runToEnd(clock, registration.register());
      expect(outcome.status === 'rejected' && outcome.reason).toBe(error);
      transport.assertDone();
    },
  );
});

describe('cancel()', () => {
  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_011] interrupts the ongoing registration', async () => {
    const { clock, registration, transport } = build([
      challenge,
      { call: 'register', answer: { hang: true } },
    ]);
    const registering = registration.register();
    registering.catch(() => undefined);
    await clock.advance(0);
    expect(registration.isRunning).toBe(true);
    await registration.cancel();
    expect(registration.isRunning).toBe(false);
    const error: unknown = await registering.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RegistrationCancelledError);
    expect(error).toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED', retryable: false });
    transport.assertDone();
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_011] resolves when there is nothing to interrupt', async () => {
    const { clock, registration } = build([...happyTpmScript]);
    await registration.cancel();
    expect(await runToEnd(clock, registration.register())).toMatchObject({ status: 'fulfilled' });
    await registration.cancel();
  });
});

describe('one object', () => {
  it('registers again after success and after failure', async () => {
    const { clock, registration, transport } = build([
      challenge,
      registerWith(assigned),
      { call: 'getAuthenticationChallenge', answer: { error: new Error('once') } },
      challenge,
      registerWith(assigned),
    ]);
    const statuses: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      statuses.push((await runToEnd(clock, registration.register())).status);
    }
    expect(statuses).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    transport.assertDone();
  });

  it('refuses a second run beside the first, which goes on', async () => {
    const { clock, registration, transport } = build(happyTpmScript);
    const first = registration.register();
    await expect(registration.register()).rejects.toMatchObject({
      code: 'ERR_LOCAL_STATE',
      state: 'running',
    });
    expect(await runToEnd(clock, first)).toMatchObject({ status: 'fulfilled' });
    transport.assertDone();
  });

  it('sends the payload set for it, until another is given', async () => {
    const { clock, registration, transport } = build([
      challenge,
      registerWith(assigned),
      challenge,
      registerWith(assigned),
    ]);
    registration.setProvisioningPayload({ site: 7 });
    await runToEnd(clock, registration.register());
    await runToEnd(clock, registration.register({ payload: 'other' }));
    const payloads = transport.calls.flatMap((call) =>
      call.call === 'register' ? [call.request.registrationInfo.payload] : [],
    );
    expect(payloads).toEqual([{ site: 7 }, 'other']);
  });
});
