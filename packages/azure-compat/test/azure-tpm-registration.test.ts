/** The requirements of TpmRegistration with their callbacks; the ids name the requirement each test proves. */
import { createHmac } from 'node:crypto';
import { AzureTpmRegistration, TpmRegistration } from '@endorse/azure-compat';
import type { TpmRegistrationInfo, TpmRegistrationResult } from '@endorse/azure-compat';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { describe, expect, it } from 'vitest';
import type { Deviations } from './support/callback-parts.ts';
import {
  argsOf,
  createCallbackClient,
  createCallbackTransport,
  endorsementKey,
  recordCallback,
  registrationId,
  registrationResult,
  sessionKey,
  settle,
  storageRootKey,
  symmetricKey,
  target,
} from './support/callback-parts.ts';

const nowSeconds = 1_700_000_000;

/** Registers with callbacks and waits for the end. */
async function run(deviations: Deviations = {}, result?: TpmRegistrationResult) {
  const clock = new VirtualClock(nowSeconds * 1000);
  const client = createCallbackClient(deviations);
  const transport = createCallbackTransport(deviations, result);
  const registration = new AzureTpmRegistration(target.provisioningHost, target.idScope, transport, client, {
    clock,
  });
  const recorded = recordCallback<TpmRegistrationResult>();
  const returned: unknown = registration.register(recorded.callback);
  const end = await recorded.called;
  await settle();
  return { ...end, returned, times: recorded.calls.length, client, transport, registration };
}

describe('register(callback)', () => {
  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_001] gets the endorsement key by calling getEndorsementKey', async () => {
    const { client, transport } = await run();
    expect(client.calls[0]).toEqual({ method: 'getEndorsementKey', args: [] });
    const [, info] = argsOf(transport.calls, 'register');
    expect((info as TpmRegistrationInfo).endorsementKey).toEqual(endorsementKey);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_002] gets the storage root key by calling getStorageRootKey', async () => {
    const { client, transport } = await run();
    expect(client.calls[1]).toEqual({ method: 'getStorageRootKey', args: [] });
    const [, info] = argsOf(transport.calls, 'register');
    expect((info as TpmRegistrationInfo).storageRootKey).toEqual(storageRootKey);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_003] calls getAuthenticationChallenge with registration id, host and scope', async () => {
    const { transport } = await run();
    expect(argsOf(transport.calls, 'getAuthenticationChallenge')).toEqual([
      { registrationId, provisioningHost: 'dps.example.test', idScope: '0ne00000001' },
    ]);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_003] derives the registration id when the client cannot tell it', async () => {
    const { getRegistrationId: _without, ...client } = createCallbackClient();
    const transport = createCallbackTransport();
    await new AzureTpmRegistration('dps.example.test', '0ne1', transport, client).register();
    const [request] = argsOf(transport.calls, 'getAuthenticationChallenge');
    // Base32 of the SHA-256 of the endorsement key, as the official clients derive it.
    expect(request).toHaveProperty('registrationId', expect.stringMatching(/^[a-z2-7]{52}$/));
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_004] stores the session key by calling activateIdentityKey', async () => {
    const { client } = await run();
    const [key] = argsOf(client.calls, 'activateIdentityKey');
    expect(key).toBeInstanceOf(Buffer);
    expect(key).toEqual(sessionKey);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_005] signs audience and expiry with signWithIdentity', async () => {
    const { client } = await run();
    const [toSign] = argsOf(client.calls, 'signWithIdentity');
    expect(toSign).toBeInstanceOf(Buffer);
    expect(String(toSign)).toBe(`0ne00000001%2Fregistrations%2Ftpm-device-1\n${nowSeconds + 3600}`);
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_006] makes the SAS token of audience, signature, expiry and key name', async () => {
    const { transport } = await run();
    const audience = '0ne00000001%2Fregistrations%2Ftpm-device-1';
    const expiry = nowSeconds + 3600;
    const signature = createHmac('sha256', sessionKey).update(`${audience}\n${expiry}`).digest('base64');
    expect(argsOf(transport.calls, 'register')[0]).toBe(
      `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=registration`,
    );
  });

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_007] calls register of the transport with token and registration info', async () => {
    const { transport } = await run();
    const [sasToken, info] = argsOf(transport.calls, 'register');
    expect(sasToken).toMatch(/^SharedAccessSignature /);
    expect(info).toMatchObject({ endorsementKey, storageRootKey, registrationId });
  });

  it.each([
    ['base64', symmetricKey.toString('base64')],
    ['bytes', symmetricKey],
  ])(
    '[SRS_NODE_DPS_TPM_REGISTRATION_16_008] stores the symmetric key, given as %s, by calling activateIdentityKey',
    async (_form, key) => {
      const { client, error } = await run({}, { ...registrationResult, symmetricKey: key });
      expect(error).toBeNull();
      expect(argsOf(client.calls, 'activateIdentityKey', 1)).toEqual([symmetricKey]);
      expect(client.identityKey()).toEqual(symmetricKey);
    },
  );

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_009] calls back with null and what the transport returned, once the key is stored', async () => {
    let storedBefore = false;
    const client = createCallbackClient({
      'activateIdentityKey of the hub key': { before: () => (storedBefore = called === 0) },
    });
    let called = 0;
    const registration = new AzureTpmRegistration(
      'dps.example.test',
      '0ne1',
      createCallbackTransport(),
      client,
    );
    const { error, value } = await new Promise<{ error: unknown; value: unknown }>((resolve) => {
      registration.register((failure, result) => {
        called += 1;
        resolve({ error: failure, value: result });
      });
    });
    await settle();
    expect({ storedBefore, called, error }).toEqual({ storedBefore: true, called: 1, error: null });
    expect(value).toBe(registrationResult);
  });

  const failing = [
    'getEndorsementKey',
    'getStorageRootKey',
    'getRegistrationId',
    'getAuthenticationChallenge',
    'activateIdentityKey',
    'signWithIdentity',
    'register',
    'activateIdentityKey of the hub key',
  ];

  it.each(failing)(
    '[SRS_NODE_DPS_TPM_REGISTRATION_16_010] calls back, once, with the very error of %s',
    async (method) => {
      const fault = new Error(`${method} failed`);
      const { error, value, times } = await run({ [method]: { error: fault } });
      expect(error).toBe(fault);
      expect({ value, times }).toEqual({ value: undefined, times: 1 });
    },
  );

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_010] calls back with what a method throws', async () => {
    const fault = new TypeError('thrown, not called back');
    const client = createCallbackClient();
    client.signWithIdentity = () => {
      throw fault;
    };
    const recorded = recordCallback<TpmRegistrationResult>();
    new AzureTpmRegistration('dps.example.test', '0ne1', createCallbackTransport(), client).register(
      recorded.callback,
    );
    expect(await recorded.called).toEqual({ error: fault, value: undefined });
  });

  it('returns nothing, and calls back later than it returns', async () => {
    const { returned } = await run();
    expect(returned).toBeUndefined();
  });
});

describe('cancel(callback)', () => {
  it.each(['getEndorsementKey', 'getAuthenticationChallenge', 'register'])(
    '[SRS_NODE_DPS_TPM_REGISTRATION_16_011] interrupts a registration that waits for %s; both callbacks are called once',
    async (method) => {
      const clock = new VirtualClock();
      const deviations = { [method]: { never: true } };
      const transport = createCallbackTransport(deviations);
      const registration = new AzureTpmRegistration(
        'dps.example.test',
        '0ne1',
        transport,
        createCallbackClient(deviations),
        { clock },
      );
      const registering = recordCallback<TpmRegistrationResult>();
      const cancelling = recordCallback();
      registration.register(registering.callback);
      await settle();
      registration.cancel(cancelling.callback);
      // The security client that never calls back is waited for no longer than this.
      for (let turn = 0; turn < 12; turn += 1) {
        await settle();
        await clock.advance(1000);
      }
      expect(await registering.called).toMatchObject({ error: { code: 'ERR_REGISTRATION_CANCELLED' } });
      expect((await cancelling.called).error).toBeNull();
      expect([registering.calls.length, cancelling.calls.length]).toEqual([1, 1]);
      if (method !== 'getEndorsementKey') {
        expect(transport.calls.map((call) => call.method).slice(-2)).toEqual(['cancel', 'disconnect']);
      }
    },
  );

  it('[SRS_NODE_DPS_TPM_REGISTRATION_16_011] calls back when there is nothing to interrupt, before and after', async () => {
    const { registration } = await run();
    const recorded = recordCallback();
    registration.cancel(recorded.callback);
    expect((await recorded.called).error).toBeNull();
  });
});

describe('without a callback', () => {
  it('register() resolves with what the transport returned and cancel() resolves', async () => {
    const registration = new TpmRegistration(
      'dps.example.test',
      '0ne1',
      createCallbackTransport(),
      createCallbackClient(),
    );
    expect(await registration.register()).toBe(registrationResult);
    await registration.cancel();
  });

  it('register() rejects with the very error', async () => {
    const fault = new Error('no');
    const registration = new TpmRegistration(
      'dps.example.test',
      '0ne1',
      createCallbackTransport({ register: { error: fault } }),
      createCallbackClient(),
    );
    expect(await registration.register().catch((error: unknown) => error)).toBe(fault);
  });
});

describe('one object', () => {
  it('registers again after it completed, and after it failed', async () => {
    const deviations: Record<string, { error?: Error }> = {};
    const transport = createCallbackTransport(deviations);
    const registration = new AzureTpmRegistration(
      'dps.example.test',
      '0ne1',
      transport,
      createCallbackClient(),
    );
    expect(await registration.register()).toBe(registrationResult);
    deviations['register'] = { error: new Error('once') };
    await expect(registration.register()).rejects.toThrow('once');
    delete deviations['register'];
    expect(await registration.register()).toBe(registrationResult);
  });

  it('calls a second register() back at once with an error, and the first goes on', async () => {
    const registration = new AzureTpmRegistration(
      'dps.example.test',
      '0ne1',
      createCallbackTransport(),
      createCallbackClient(),
    );
    const first = recordCallback<TpmRegistrationResult>();
    const second = recordCallback<TpmRegistrationResult>();
    registration.register(first.callback);
    registration.register(second.callback);
    expect(await second.called).toMatchObject({ error: { code: 'ERR_LOCAL_STATE' } });
    expect(await first.called).toEqual({ error: null, value: registrationResult });
  });

  it('sends the payload that was set', async () => {
    const transport = createCallbackTransport();
    const registration = new AzureTpmRegistration(
      'dps.example.test',
      '0ne1',
      transport,
      createCallbackClient(),
    );
    registration.setProvisioningPayload({ site: 7 });
    await registration.register();
    expect(argsOf(transport.calls, 'register')[1]).toHaveProperty('request.payload', { site: 7 });
  });

  it('is an error of the transport when it calls back without a key', async () => {
    const { error } = await run({}, { assignedHub: 'hub', deviceId: 'device' } as never);
    expect(error).toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED', evidence: { path: 'result.symmetricKey' } });
  });

  it.each([
    ['a transport without register', {}, createCallbackClient(), 'transport'],
    [
      'a client without signWithIdentity',
      createCallbackTransport(),
      { getEndorsementKey: () => undefined },
      'securityClient',
    ],
    ['no transport', undefined, createCallbackClient(), 'transport'],
  ])('refuses %s', (_what, transport, client, argument) => {
    expect(
      () => new AzureTpmRegistration('dps.example.test', '0ne1', transport as never, client as never),
    ).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument }));
  });

  it('refuses a callback that is none', () => {
    const registration = new AzureTpmRegistration(
      'dps.example.test',
      '0ne1',
      createCallbackTransport(),
      createCallbackClient(),
    );
    expect(() => registration.register('later' as never)).toThrow(
      expect.objectContaining({ argument: 'callback' }),
    );
    expect(() => registration.cancel(1 as never)).toThrow(expect.objectContaining({ argument: 'callback' }));
  });
});
