/** The client that pumps itself. */
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { ProvDeviceResult, ProvisioningClient } from '@endorse/provisioning-client';
import { expect, test } from 'vitest';
import { settle } from './support/bench.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import type { ScriptedPeer } from './support/scripted-peer.ts';
import { createScriptedPeer } from './support/scripted-peer.ts';

interface Parts {
  readonly client: ProvisioningClient;
  readonly peer: ScriptedPeer;
  readonly clock: VirtualClock;
  /** Lets time pass until the peer is asked for something. */
  untilAsked(): Promise<void>;
}

async function start(): Promise<Parts> {
  const peer = createScriptedPeer();
  const clock = new VirtualClock();
  const options = { dialect: 'drs', securityClient: createFakeTpm(), clock } as const;
  const client = await ProvisioningClient.create('dps.example.test', null, peer.provider, options);
  return {
    client,
    peer,
    clock,
    untilAsked: async () => {
      await settle();
      for (let turns = 0; turns < 50 && !peer.isAsked; turns += 1) await clock.advance(10);
      if (!peer.isAsked) throw new Error('nothing was asked');
    },
  };
}

async function answer({ peer, untilAsked }: Parts): Promise<void> {
  await untilAsked();
  peer.connect();
  await untilAsked();
  peer.reply(200, { operationId: 'o', status: 'assigning' });
  await untilAsked();
  peer.reply(200, { IotHubUrl: 'hub' });
}

test('registers behind a promise, and stops its timer', async () => {
  const parts = await start();
  const { client, clock } = parts;
  const statuses: unknown[] = [];
  const registered = client.registerDevice({ onStatus: (status) => statuses.push(status) });
  await answer(parts);
  await clock.advance(10);
  expect(await registered).toEqual({ iothubUri: 'hub', deviceId: 'my-device-1' });
  expect([statuses, clock.pendingSleeps]).toEqual([[0, 1, 2, 3], 0]);
});

test('turns every do_work_freq_ms', async () => {
  const parts = await start();
  const { client, peer, clock } = parts;
  expect(client.setOption('do_work_freq_ms', 500)).toBe(ProvDeviceResult.OK);
  const registered = client.registerDevice();
  await settle();
  const before = peer.doWorks;
  await clock.advance(499);
  expect(peer.doWorks).toBe(before);
  await clock.advance(1);
  expect(peer.doWorks).toBe(before + 1);
  await client.close();
  await expect(registered).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
});

test.each([0, 65_536, 1.5, '10', undefined])('do_work_freq_ms %j is INVALID_ARG', async (value) => {
  const { client } = await start();
  expect(client.setOption('do_work_freq_ms', value as number)).toBe(ProvDeviceResult.INVALID_ARG);
});

test('hands the other options on', async () => {
  const { client } = await start();
  expect(client.setOption('registration_id', 'other')).toBe(ProvDeviceResult.OK);
  expect(client.setOption('no_such_option' as 'logtrace', true)).toBe(ProvDeviceResult.INVALID_ARG);
  expect(client.registrationId).toBe('other');
  expect(client.setProvisioningPayload({})).toBe(ProvDeviceResult.OK);
  expect(client.getVersionString()).toMatch(/^\d/);
});

test('rejects with the result and its reason, and can be used again', async () => {
  const parts = await start();
  const { client, peer, clock, untilAsked } = parts;
  const failed = client.registerDevice().catch((error: unknown) => error);
  await untilAsked();
  peer.fail(new Error('refused'));
  await clock.advance(30);
  expect(await failed).toMatchObject({ code: 'ERR_PROV_TRANSPORT', result: ProvDeviceResult.TRANSPORT });
  const registered = client.registerDevice();
  await answer(parts);
  await clock.advance(10);
  expect(await registered).toMatchObject({ iothubUri: 'hub' });
});

test('an abort rejects with its reason, at once, and the next registration works', async () => {
  const parts = await start();
  const { client, clock, untilAsked } = parts;
  const reason = new Error('the user changed his mind');
  const controller = new AbortController();
  const aborted = client.registerDevice({ signal: controller.signal }).catch((error: unknown) => error);
  await untilAsked();
  controller.abort(reason);
  expect(await aborted).toBe(reason);
  expect(clock.pendingSleeps).toBe(0);
  const registered = client.registerDevice();
  await answer(parts);
  await clock.advance(10);
  expect(await registered).toMatchObject({ iothubUri: 'hub' });
  await expect(client.registerDevice({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('what a status callback throws ends the registration', async () => {
  const { client, peer, clock, untilAsked } = await start();
  const problem = new Error('of the application');
  const failed = client
    .registerDevice({
      onStatus: () => {
        throw problem;
      },
    })
    .catch((error: unknown) => error);
  await untilAsked();
  peer.connect();
  await clock.advance(10);
  expect(await failed).toBe(problem);
  expect(peer.closes).toBe(1);
});

test('a second registration at once is refused, the first goes on', async () => {
  const parts = await start();
  const { client, clock } = parts;
  const first = client.registerDevice();
  await expect(client.registerDevice()).rejects.toMatchObject({ result: ProvDeviceResult.ERROR });
  await answer(parts);
  await clock.advance(10);
  expect(await first).toMatchObject({ iothubUri: 'hub' });
  await client[Symbol.asyncDispose]();
  await client.close();
  await expect(client.registerDevice()).rejects.toMatchObject({ code: 'ERR_PROV_INVALID_ARG' });
});

test('a client that cannot be made rejects with the reason', async () => {
  const provider = createScriptedPeer().provider;
  const securityClient = createFakeTpm();
  await expect(ProvisioningClient.create('', null, provider, { securityClient })).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  });
  await expect(ProvisioningClient.create('h', null, provider, undefined as never)).rejects.toMatchObject({
    code: 'ERR_INVALID_ARGUMENT',
  });
});
