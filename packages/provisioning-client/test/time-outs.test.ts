/** Every wait has a bound, measured with the injected clock: at exactly the bound there is still time, a millisecond later there is not. */
import { expect, test } from 'vitest';
import { ProvDeviceResult } from '@endorse/provisioning-client';
import type { Bench } from './support/bench.ts';
import { startBench } from './support/bench.ts';
import { createFakeTpm } from './support/fake-tpm.ts';

const never = (): Promise<never> => new Promise(() => undefined);

/** Where a run can wait, and how it comes there. */
const waits: readonly {
  readonly what: string;
  readonly state: string;
  readonly reach: () => Promise<Bench>;
}[] = [
  {
    what: 'the connection',
    state: 'READY',
    reach: async () => {
      const bench = await startBench();
      bench.register();
      await bench.turn();
      return bench;
    },
  },
  {
    what: 'the endorsement key',
    state: 'REGISTER_SEND',
    reach: async () => {
      const tpm = createFakeTpm({ onCall: (call) => (call === 'getEndorsementKey' ? never() : undefined) });
      const bench = await startBench({ tpm });
      bench.register();
      await bench.turn();
      bench.peer.connect();
      await bench.turn(2);
      return bench;
    },
  },
  {
    what: 'the answer to the registration',
    state: 'REGISTER_SENT',
    reach: async () => {
      const bench = await startBench();
      await bench.begin();
      return bench;
    },
  },
  {
    what: 'the decrypted nonce',
    state: 'CONFIRM_SEND',
    reach: async () => {
      const tpm = createFakeTpm({ onCall: (call) => (call === 'decryptNonce' ? never() : undefined) });
      const bench = await startBench({ tpm });
      await bench.begin();
      bench.peer.reply(401, { correlationId: 'c', nonce: 'AAEC' });
      await bench.turn(2);
      return bench;
    },
  },
  {
    what: 'the answer to the confirmation',
    state: 'CONFIRM_SENT',
    reach: async () => {
      const bench = await startBench();
      await bench.begin();
      bench.peer.reply(401, { correlationId: 'c', nonce: 'AAEC' });
      await bench.untilAsked();
      return bench;
    },
  },
  {
    what: 'the progress',
    state: 'URL_REQ_SENT',
    reach: async () => {
      const bench = await startBench();
      await bench.begin();
      bench.peer.reply(200, { operationId: 'o', status: 'assigning' });
      await bench.untilAsked();
      return bench;
    },
  },
  {
    what: 'the import of the key',
    state: 'URL_REQ_RECV',
    reach: async () => {
      const tpm = createFakeTpm({ onCall: (call) => (call === 'activateIdentityKey' ? never() : undefined) });
      const bench = await startBench({ tpm });
      await bench.begin();
      bench.peer.reply(200, { operationId: 'o', status: 'assigning' });
      await bench.untilAsked();
      bench.peer.reply(200, { IotHubUrl: 'hub', tpm: { authenticationKey: 'CQk=' } });
      await bench.turn(2);
      return bench;
    },
  },
];

test.each(waits)('waiting for $what ends after 60 s', async ({ state, reach }) => {
  const { client, clock, turn, told } = await reach();
  expect(client.state).toBe(state);
  await clock.advance(60_000);
  await turn(3);
  expect(client.state).toBe(state);
  await clock.advance(1);
  await turn();
  expect(client.state).toBe('ERROR');
  await turn(10);
  expect(told.filter((line) => line.startsWith('result'))).toEqual(['result TIMEOUT null null context']);
  expect(client.lastError).toMatchObject({
    code: 'ERR_PROV_TIMEOUT',
    fault: 'deadline',
    cause: { code: 'ERR_TIMEOUT', deadlineMs: 60_000, state },
  });
});

test('the time to connect counts from registerDevice, not from the first doWork', async () => {
  const { client, clock, register, turn } = await startBench();
  register();
  await clock.advance(59_999);
  await turn();
  await clock.advance(1);
  await turn();
  expect(client.state).toBe('READY');
  await clock.advance(1);
  await turn();
  expect(client.state).toBe('ERROR');
});

test('an answer that is there when the time has passed still counts', async () => {
  const { client, peer, begin, clock, turn } = await startBench();
  await begin();
  peer.reply(200, { operationId: 'o', status: 'assigning' });
  await clock.advance(70_000);
  await turn();
  expect(client.state).toBe('STATUS_SEND');
});

test('provisioning_timeout sets another bound', async () => {
  const { client, begin, clock, turn } = await startBench();
  expect(client.setOption('provisioning_timeout', 5)).toBe(ProvDeviceResult.OK);
  await begin();
  await clock.advance(5000);
  await turn();
  expect(client.state).toBe('REGISTER_SENT');
  await clock.advance(1);
  await turn();
  expect(client.state).toBe('ERROR');
});

test('with provisioning_timeout 0 the deadline of the run is what ends it', async () => {
  const { client, begin, clock, turn, told } = await startBench({ deadlineMs: 600_000 });
  client.setOption('provisioning_timeout', 0);
  await begin();
  await clock.advance(600_000);
  await turn();
  expect(client.state).toBe('REGISTER_SENT');
  await clock.advance(1);
  await turn(2);
  expect(told.at(-1)).toBe('result TIMEOUT null null context');
  expect(client.lastError?.cause).toMatchObject({ deadlineMs: 600_000 });
});

test('a service that assigns for ever is given up at the deadline', async () => {
  const { peer, begin, clock, turn, told } = await startBench({ deadlineMs: 30_000 });
  await begin();
  peer.reply(200, { operationId: 'o', status: 'assigning' });
  for (let polls = 0; polls < 100 && !told.some((line) => line.startsWith('result')); polls += 1) {
    await turn(2);
    peer.reply(202, {});
    await clock.advance(2000);
  }
  expect(told.at(-1)).toBe('result TIMEOUT null null context');
  expect(told.filter((line) => line.startsWith('status ASSIGNING'))).toHaveLength(1);
});

test('a service that assigns for ever is given up after 500 requests when the clock stands still', async () => {
  const { client, peer, begin, turn, told } = await startBench({ throttleMs: 0 });
  await begin();
  peer.reply(200, { operationId: 'o', status: 'assigning' });
  for (let turns = 0; turns < 2000 && !told.some((line) => line.startsWith('result')); turns += 1) {
    await turn();
    peer.reply(202, {});
  }
  expect(told.at(-1)).toBe('result TIMEOUT null null context');
  expect(peer.requests).toHaveLength(501);
  expect(client.lastError?.message).toContain('still assigning after 500 status requests');
});

test('a clock that is set back stops no wait', async () => {
  let now = 1_900_000_000_000;
  const { client, peer, register, turn } = await startBench({
    clock: { now: () => now, sleep: never },
  });
  register();
  await turn();
  peer.connect();
  await turn(3);
  now -= 1_000_000_000_000;
  await turn();
  expect(client.state).toBe('REGISTER_SENT');
  now += 60_001;
  await turn();
  expect(client.state).toBe('ERROR');
});

test('a failure that may pass is repeated after a pause, eight times at most', async () => {
  const { peer, begin, turn, clock, told } = await startBench();
  await begin();
  for (let attempt = 0; attempt < 8; attempt += 1) {
    peer.reply(attempt % 2 === 0 ? 429 : 503, {});
    await turn();
    await clock.advance(2000);
    await turn(3);
    expect(peer.requests).toHaveLength(attempt + 2);
  }
  peer.reply(503, {});
  await turn(2);
  expect(told.at(-1)).toBe('result TRANSPORT null null context');
});

test.each([400, 404, 410, 501, 505])('a failure that will not pass, %i, is not repeated', async (status) => {
  const { peer, begin, turn, told } = await startBench();
  await begin();
  peer.reply(status, {});
  await turn(2);
  expect(told.at(-1)).toBe('result TRANSPORT null null context');
  expect(peer.requests).toHaveLength(1);
});
