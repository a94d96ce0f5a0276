/** What callbacks may do: anything. */
import { RemoteProtocolError } from '@endorse/interface';
import { ProvDeviceResult, ProvisioningClientLL } from '@endorse/provisioning-client';
import { describe, expect, test } from 'vitest';
import { startBench } from './support/bench.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import { createScriptedPeer } from './support/scripted-peer.ts';

const operation = { operationId: 'o', status: 'assigning' };

/** Runs a registration to its end with callbacks that run `action`, on success or not. */
async function runWith(
  action: (client: ProvisioningClientLL, callback: string) => void,
  succeeds = true,
): Promise<{ readonly seen: string[]; readonly thrown: unknown[]; readonly client: ProvisioningClientLL }> {
  const seen: string[] = [];
  const thrown: unknown[] = [];
  const note = (callback: string): void => {
    seen.push(callback);
    action(bench.client, callback);
  };
  const bench = await startBench({ onError: () => note('error') });
  const { client, peer } = bench;
  const turn = async (): Promise<void> => {
    try {
      await bench.turn();
    } catch (error) {
      thrown.push(error);
    }
  };
  client.registerDevice(
    (result) => note(`result ${result}`),
    undefined,
    (status) => note(`status ${status}`),
  );
  for (let turns = 0; turns < 12; turns += 1) {
    await turn();
    peer.connect();
    const asked = peer.requests.at(-1)?.method;
    if (asked === 'POST') peer.reply(200, operation);
    if (asked === 'GET') peer.reply(200, succeeds ? { IotHubUrl: 'hub' } : {});
  }
  return { seen, thrown, client };
}

const success = ['status 0', 'status 1', 'status 2', 'status 3', 'result 0'];
const failure = ['status 0', 'status 1', 'status 2', 'status 4', 'error', 'result 4'];

describe.each([
  [true, success],
  [false, failure],
])('in a registration whose success is %s', (succeeds, expected) => {
  test('doWork inside a callback does nothing', async () => {
    const { seen } = await runWith((client) => client.doWork(), succeeds);
    expect(seen).toEqual(expected);
  });

  test('registerDevice inside a status callback is refused while the registration lasts', async () => {
    const results: unknown[] = [];
    await runWith((client, callback) => {
      if (['status 0', 'status 1', 'status 2'].includes(callback))
        results.push(client.registerDevice(() => undefined));
    }, succeeds);
    expect(results).toEqual([ProvDeviceResult.ERROR, ProvDeviceResult.ERROR, ProvDeviceResult.ERROR]);
  });

  test.each(expected)('destroy inside %s is the end of all callbacks', async (where) => {
    const { seen, client } = await runWith((handle, callback) => {
      if (callback === where) handle.destroy();
    }, succeeds);
    expect(seen).toEqual(expected.slice(0, expected.indexOf(where) + 1));
    expect(client.state).toBe('READY');
  });

  test.each(expected)('what %s throws comes out of doWork, and changes nothing else', async (where) => {
    const problem = new Error('of the application');
    const { seen, thrown, client } = await runWith((_client, callback) => {
      if (callback === where) throw problem;
    }, succeeds);
    expect(seen).toEqual(expected);
    expect(thrown).toEqual([problem]);
    expect(client.registerDevice(() => undefined)).toBe(ProvDeviceResult.OK);
  });
});

test.each(['status 0', 'status 1', 'status 2'])(
  'cancelRegistration inside %s ends the registration without a result',
  async (where) => {
    const { seen, client } = await runWith((handle, callback) => {
      if (callback === where) handle.cancelRegistration();
    });
    expect(seen).toEqual(success.slice(0, success.indexOf(where) + 1));
    expect(client.registerDevice(() => undefined)).toBe(ProvDeviceResult.OK);
  },
);

test('cancelRegistration is harmless between registrations', async () => {
  const { client, peer } = await startBench();
  client.cancelRegistration();
  expect([client.state, peer.closes]).toEqual(['READY', 0]);
});

test('a status is told once, also when a request is repeated or the registration begun anew', async () => {
  const { peer, begin, turn, untilAsked, clock, told } = await startBench();
  await begin();
  peer.reply(503, {});
  await turn();
  await clock.advance(2000);
  await untilAsked();
  peer.reply(200, operation);
  await untilAsked();
  peer.reply(404, {});
  await turn();
  await clock.advance(2000);
  await untilAsked();
  expect(peer.requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET', 'POST']);
  peer.reply(200, operation);
  await untilAsked();
  expect(told.map((line) => line.split(' ')[1])).toEqual(['CONNECTED', 'REGISTERING', 'ASSIGNING']);
});

test('a TPM that answers when its registration is over does not disturb the next', async () => {
  const waiting: (() => void)[] = [];
  const tpm = createFakeTpm({
    onCall: (call) =>
      call === 'getEndorsementKey'
        ? new Promise((resolve) => {
            waiting.push(resolve);
          })
        : undefined,
  });
  const { client, peer, register, turn } = await startBench({ tpm });
  for (let run = 0; run < 2; run += 1) {
    client.cancelRegistration();
    register();
    await turn();
    peer.connect();
    await turn();
  }
  const [first, second] = waiting;
  first?.();
  await turn(3);
  expect([client.state, peer.requests.length]).toEqual(['REGISTER_SEND', 0]);
  second?.();
  await turn(2);
  expect([client.state, peer.requests.length]).toEqual(['REGISTER_SENT', 1]);
});

test('a transport that throws from doWork fails the registration, not the loop', async () => {
  const peer = createScriptedPeer({ doWork: new Error('broken') });
  const { register, turn, told } = await startBench({ peer });
  await turn(2);
  register();
  await turn(4);
  expect(told.at(-1)).toBe('result TRANSPORT null null context');
});

test('an answer that is too large is MEMORY', async () => {
  const { peer, begin, turn, told } = await startBench();
  await begin();
  peer.fail(new RemoteProtocolError('ERR_REMOTE_TOO_LARGE', 'too large'));
  await turn(2);
  expect(told.at(-1)).toBe('result MEMORY null null context');
});

test('at most one request goes out in a doWork, whatever has completed', async () => {
  const { client, peer, begin } = await startBench({ throttleMs: 0 });
  await begin();
  let sent = peer.requests.length;
  for (let turns = 0; turns < 50; turns += 1) {
    peer.reply(202, turns % 2 === 0 ? operation : {});
    client.doWork();
    expect(peer.requests.length - sent).toBeLessThanOrEqual(1);
    sent = peer.requests.length;
  }
  expect(sent).toBeGreaterThan(5);
});

test('a disposed client is destroyed', async () => {
  const { client } = await startBench();
  client[Symbol.dispose]();
  expect(client.registerDevice(() => undefined)).toBe(ProvDeviceResult.INVALID_ARG);
  expect(ProvisioningClientLL.getVersionString()).toBe(client.getVersionString());
  expect(client.getVersionString()).toMatch(/^\d+\.\d+\.\d+/);
});
