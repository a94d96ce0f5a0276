/** Requirements of create, destroy and registerDevice; each title carries the ids it shows. */
import { RemoteProtocolError } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { ProvDeviceResult, ProvisioningClientLL } from '@endorse/provisioning-client';
import { describe, expect, test } from 'vitest';
import { settle, startBench } from './support/bench.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import { createScriptedPeer } from './support/scripted-peer.ts';

const ignore = (): void => undefined;

describe('create', () => {
  test.each([null, undefined, '', 'https://dps.example.test', 'dps.example.test/path'])(
    '[SRS_PROV_CLIENT_07_001] resolves to null for the address %j and touches nothing',
    async (uri) => {
      const peer = createScriptedPeer();
      const tpm = createFakeTpm();
      const reasons: Error[] = [];
      const client = await ProvisioningClientLL.create(uri, 'scope', peer.provider, {
        securityClient: tpm,
        onCreateError: (error) => reasons.push(error),
      });
      expect(client).toBeNull();
      expect(reasons).toMatchObject([{ code: 'ERR_INVALID_ARGUMENT', argument: 'uri' }]);
      expect([peer.made, tpm.calls]).toEqual([[], []]);
    },
  );

  test('[SRS_PROV_CLIENT_07_002] initialises everything and connects nothing', async () => {
    const { client, peer, told } = await startBench();
    expect(client).toMatchObject({ state: 'READY', isConnected: false, lastError: undefined });
    expect(client.getProvisioningPayload()).toBeUndefined();
    expect([peer.made.length, peer.opens, peer.requests, told]).toEqual([1, 0, [], []]);
  });

  test.each([
    ['the provider throws', { peer: createScriptedPeer({ make: new Error('no transport') }) }],
    ['the security client throws', { tpm: failingTpm(new Error('no TPM')) }],
    ['the registration id is empty', { tpm: createFakeTpm({ registrationId: '' }) }],
    ['the scope is empty', { scopeId: '' }],
    ['the deadline is no number', { deadlineMs: Number.NaN }],
    ['the dialect is unknown', { dialect: 'dsr' as 'drs' }],
  ])('[SRS_PROV_CLIENT_07_003] resolves to null when %s, and leaves nothing open', async (_what, options) => {
    const {
      peer = createScriptedPeer(),
      tpm = createFakeTpm(),
      scopeId = 'scope',
      ...rest
    } = options as {
      peer?: ReturnType<typeof createScriptedPeer>;
      tpm?: ReturnType<typeof createFakeTpm>;
      scopeId?: string;
    };
    const reasons: Error[] = [];
    const clock = new VirtualClock();
    const client = await ProvisioningClientLL.create('dps.example.test', scopeId, peer.provider, {
      dialect: 'drs',
      clock,
      ...rest,
      securityClient: tpm,
      onCreateError: (error) => reasons.push(error),
    });
    expect(client).toBeNull();
    expect(reasons).toHaveLength(1);
    expect([peer.opens, clock.pendingSleeps]).toEqual([0, 0]);
  });

  test('[SRS_PROV_CLIENT_07_003] resolves to null when the security client never answers', async () => {
    const clock = new VirtualClock();
    const reasons: unknown[] = [];
    const created = ProvisioningClientLL.create('dps.example.test', null, createScriptedPeer().provider, {
      dialect: 'drs',
      clock,
      securityClient: createFakeTpm({ onCall: () => new Promise(ignore) }),
      onCreateError: (error) => reasons.push(error),
    });
    await clock.advance(60_000);
    expect(await created).toBeNull();
    expect(reasons).toMatchObject([{ code: 'ERR_TIMEOUT' }]);
  });

  test('[SRS_PROV_CLIENT_07_003] resolves to null even when it is told why in vain', async () => {
    const options = {
      securityClient: createFakeTpm(),
      onCreateError: () => {
        throw new Error('of the application');
      },
    };
    expect(await ProvisioningClientLL.create('', 'scope', null, options)).toBeNull();
    expect(await ProvisioningClientLL.create('h', 'scope', null, undefined as never)).toBeNull();
  });

  test.each([
    ['the scope that was given', '0ne00000001', '0ne00000001'],
    ['the base64 of the address when none was', null, 'ZHBzLmV4YW1wbGUudGVzdA=='],
  ])('[SRS_PROV_CLIENT_07_034] has %s', async (_what, scopeId, expected) => {
    const { client } = await startBench({ scopeId });
    expect(client.scopeId).toBe(expected);
  });

  test('[SRS_PROV_CLIENT_07_035] stores the registration id of the security client', async () => {
    const { client, tpm } = await startBench();
    expect(client.registrationId).toBe('my-device-1');
    expect(tpm.calls.map(({ call }) => call)).toEqual(['getRegistrationId']);
  });
});

describe('destroy', () => {
  test('[SRS_PROV_CLIENT_07_005] does nothing with null', () => {
    expect(ProvisioningClientLL.destroy(null)).toBeUndefined();
  });

  test('[SRS_PROV_CLIENT_07_006] lets go of everything, once and for good', async () => {
    const { client, peer, register, turn, begin, told } = await startBench();
    await begin();
    const before = [...told];
    peer.reply(401, { correlationId: 'c', nonce: 'AAEC' });
    ProvisioningClientLL.destroy(client);
    client.destroy();
    await turn(5);
    expect(peer.closes).toBe(1);
    expect(told).toEqual(before);
    expect(register()).toBe(ProvDeviceResult.INVALID_ARG);
    expect(client.setOption('logtrace', true)).toBe(ProvDeviceResult.INVALID_ARG);
    expect(client.setProvisioningPayload({})).toBe(ProvDeviceResult.INVALID_ARG);
    expect(client).toMatchObject({ state: 'READY', isConnected: false });
  });

  test('[SRS_PROV_CLIENT_07_006] stops the security client, too', async () => {
    let seen: AbortSignal | undefined;
    const tpm = createFakeTpm({
      onCall: (call, signal) => {
        if (call !== 'getEndorsementKey') return undefined;
        seen = signal;
        return new Promise(ignore);
      },
    });
    const { client, peer, register, turn } = await startBench({ tpm });
    register();
    await turn();
    peer.connect();
    await turn(2);
    expect(seen?.aborted).toBe(false);
    client.destroy();
    expect(seen?.aborted).toBe(true);
  });
});

describe('registerDevice', () => {
  test('[SRS_PROV_CLIENT_07_007] is INVALID_ARG without a client, a callback, or with one that is none', async () => {
    const { client, peer, turn } = await startBench();
    const { INVALID_ARG } = ProvDeviceResult;
    expect(ProvisioningClientLL.registerDevice(null, ignore)).toBe(INVALID_ARG);
    for (const callback of [null, undefined, 'callback']) {
      expect(client.registerDevice(callback as never)).toBe(INVALID_ARG);
    }
    expect(client.registerDevice(ignore, undefined, 'callback' as never)).toBe(INVALID_ARG);
    await turn(3);
    expect([client.state, peer.opens]).toEqual(['READY', 0]);
  });

  test('[SRS_PROV_CLIENT_07_008] sends nothing itself; the doWork calls after it send the registration, once', async () => {
    const { client, peer, register, turn, told } = await startBench();
    register();
    await settle();
    expect([peer.opens, peer.requests, told]).toEqual([0, [], []]);
    await turn();
    peer.connect();
    await turn(10);
    expect(peer.requests).toHaveLength(1);
    expect(client.state).toBe('REGISTER_SENT');
  });

  test('[SRS_PROV_CLIENT_07_009] is OK, which is 0 and not SUCCESS', async () => {
    const { client } = await startBench();
    expect(ProvisioningClientLL.registerDevice(client, ignore)).toBe(0);
    expect(ProvDeviceResult).toMatchObject({ OK: 0, SUCCESS: 2 });
  });

  test('[SRS_PROV_CLIENT_07_031] is ERROR while a registration is under way, which goes on with its own callbacks', async () => {
    const { client, peer, begin, turn, told } = await startBench();
    await begin();
    const others: unknown[] = [];
    const other = (...values: readonly unknown[]): void => void others.push(values);
    expect(client.registerDevice(other, undefined, other)).toBe(ProvDeviceResult.ERROR);
    peer.reply(200, { operationId: 'o', status: 'assigning' });
    await turn(2);
    peer.reply(200, { IotHubUrl: 'hub' });
    await turn();
    expect(told.at(-1)).toBe('result OK hub my-device-1 context');
    expect(others).toEqual([]);
  });

  test('[SRS_PROV_CLIENT_07_031] is ERROR when half a certificate was set', async () => {
    const { client, register } = await startBench();
    client.setOption('x509certificate', '-----BEGIN CERTIFICATE-----');
    expect(register()).toBe(ProvDeviceResult.ERROR);
    client.setOption('x509privatekey', '-----BEGIN PRIVATE KEY-----');
    expect(register()).toBe(ProvDeviceResult.OK);
  });

  test('[SRS_PROV_CLIENT_07_004] tells the error callback of a registration that fails, with the reason, and of no other', async () => {
    const seen: unknown[] = [];
    const { peer, begin, turn } = await startBench({
      errorContext: 'error-context',
      onError: (...values) => seen.push(values),
    });
    await begin();
    peer.reply(200, { operationId: 'o', status: 'assigning' });
    await turn(2);
    peer.reply(200, { IotHubUrl: 'hub' });
    await turn(2);
    expect(seen).toEqual([]);
    await begin();
    peer.reply(200, 'no JSON');
    await turn(2);
    const { PARSING } = ProvDeviceResult;
    expect(seen).toMatchObject([
      [PARSING, 'error-context', { code: 'ERR_PROV_PARSING', result: PARSING, fault: 'peer' }],
    ]);
    const [[, , error]] = seen as [[unknown, unknown, Error]];
    expect(error.cause).toBeInstanceOf(RemoteProtocolError);
  });
});

test('[SRS_PROV_CLIENT_07_010] doWork does nothing with null, and nothing after destroy', async () => {
  expect(ProvisioningClientLL.doWork(null)).toBeUndefined();
  const { client, peer, register } = await startBench();
  register();
  client.destroy();
  ProvisioningClientLL.doWork(client);
  expect([peer.doWorks, peer.opens]).toEqual([0, 0]);
});

function failingTpm(error: Error): ReturnType<typeof createFakeTpm> {
  return createFakeTpm({
    onCall: () => {
      throw error;
    },
  });
}
