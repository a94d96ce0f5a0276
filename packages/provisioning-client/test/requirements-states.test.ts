/**
 * Requirements of doWork and its state machine, in the dialect of the requirements; each title carries the ids it
 * shows. The README lists where the text contradicts itself and what was chosen.
 */
import { TransportError } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import type { Bench } from './support/bench.ts';
import { settle, startBench } from './support/bench.ts';
import { createFakeTpm, plainNonce } from './support/fake-tpm.ts';
import { createScriptedPeer } from './support/scripted-peer.ts';

const challenge = { correlationId: 'correlation-1', nonce: 'AAECAw==' };
const operation = { operationId: 'operation-1', status: 'assigning' };
const registered = 'result OK hub.example.test my-device-1 context';

/** A bench whose registration has been sent. */
async function registering(...options: Parameters<typeof startBench>): Promise<Bench> {
  const bench = await startBench(...options);
  await bench.begin();
  return bench;
}

/** A bench whose confirmation has been sent. */
async function confirming(...options: Parameters<typeof startBench>): Promise<Bench> {
  const bench = await registering(...options);
  bench.peer.reply(401, challenge);
  await bench.untilAsked();
  return bench;
}

/** A bench that watches its progress URL. */
async function watching(progressUrl = '/progress/1'): Promise<Bench> {
  const bench = await confirming();
  bench.peer.reply(200, { progressUrl });
  await bench.untilAsked();
  return bench;
}

function failure(result: string): string[] {
  return ['status ERROR status-context', `error ${result}`, `result ${result} null null context`];
}

test('[SRS_PROV_CLIENT_07_011] every doWork pumps the transport once, idle ones too, but for the one that reports an error', async () => {
  const { client, peer, turn, begin } = await startBench();
  await turn(3);
  expect(peer.doWorks).toBe(3);
  await begin();
  const before = peer.doWorks;
  peer.reply(404, {});
  await turn();
  expect([client.state, peer.doWorks]).toEqual(['ERROR', before + 1]);
  await turn();
  expect([client.state, peer.doWorks]).toEqual(['READY', before + 1]);
  await turn();
  expect(peer.doWorks).toBe(before + 2);
});

describe('connecting', () => {
  test('[SRS_PROV_CLIENT_07_028] READY opens the connection once, and only for a registration', async () => {
    const { client, peer, turn, register } = await startBench();
    await turn(3);
    expect(peer.opens).toBe(0);
    register();
    await turn(11);
    expect([peer.opens, client.state, client.isConnected]).toEqual([1, 'READY', false]);
    expect(peer.made).toEqual([{ host: 'dps.example.test' }]);
  });

  test('[SRS_PROV_CLIENT_07_029] the connection leads to REGISTER_SEND and to the status CONNECTED, once', async () => {
    const { client, peer, turn, register, told, states } = await startBench();
    register();
    await turn();
    peer.connect();
    client.doWork();
    expect([client.state, client.isConnected, told]).toEqual([
      'REGISTER_SEND',
      true,
      ['status CONNECTED status-context'],
    ]);
    peer.repeat();
    await turn(3);
    expect(states).toEqual(['REGISTER_SEND', 'REGISTER_SENT']);
  });

  test.each([
    [new TransportError('ERR_TRANSPORT_TLS', 'no', { phase: 'tls', retryable: false }), 'TRANSPORT'],
    [new Error('of a stranger'), 'TRANSPORT'],
  ])('[SRS_PROV_CLIENT_07_029] a connection that fails is TRANSPORT (%s)', async (error, result) => {
    const { client, peer, turn, register, told } = await startBench();
    register();
    await turn();
    peer.fail(error);
    await turn();
    expect([client.state, told]).toEqual(['ERROR', []]);
    await turn();
    expect(told).toEqual(failure(result));
    expect(client.lastError?.cause).toBe(error);
  });
});

describe('registering', () => {
  test('[SRS_PROV_CLIENT_07_030] REGISTER_SEND reads the endorsement key, once, before anything is sent', async () => {
    const { peer, tpm, turn, register } = await startBench();
    register();
    await turn();
    peer.connect();
    await turn();
    expect(peer.requests).toEqual([]);
    await turn(3);
    expect(peer.requests).toHaveLength(1);
    expect(tpm.calls.map(({ call }) => call)).toEqual(['getRegistrationId', 'getEndorsementKey']);
  });

  test('[SRS_PROV_CLIENT_07_030] an endorsement key that cannot be read is KEY_ERROR, and nothing is sent', async () => {
    const problem = new Error('the TPM is gone');
    const tpm = createFakeTpm({
      onCall: (call) => {
        if (call === 'getEndorsementKey') throw problem;
      },
    });
    const { client, peer, turn, register, told } = await startBench({ tpm });
    register();
    await turn();
    peer.connect();
    await turn(5);
    expect(told.slice(1)).toEqual(failure('KEY_ERROR'));
    expect(peer.requests).toEqual([]);
    expect(client.lastError?.cause).toBe(problem);
  });

  test('[SRS_PROV_CLIENT_07_013] the registration is the request of the requirements', async () => {
    const { peer } = await registering();
    expect(peer.requests).toEqual([
      {
        method: 'POST',
        target: '/drs/registrations/my-device-1/register-me?api-version=2017-08-31-preview',
        headers: {
          accept: 'application/json',
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'endorse-provisioning-client',
        },
        body: {
          registrationId: 'my-device-1',
          attestation: { tpm: { endorsementKey: 'AQIDBA==' } },
          properties: null,
        },
      },
    ]);
  });

  test('[SRS_PROV_CLIENT_07_19] a registration that is sent leads to REGISTER_SENT, where nothing more is', async () => {
    const { client, peer, turn, told } = await registering();
    expect(client.state).toBe('REGISTER_SENT');
    expect(told).toEqual(['status CONNECTED status-context', 'status REGISTERING status-context']);
    await turn(5);
    expect(peer.requests).toHaveLength(1);
  });

  test('[SRS_PROV_CLIENT_07_19] a registration that cannot be sent is TRANSPORT', async () => {
    const peer = createScriptedPeer({ send: new Error('the transport throws') });
    const { turn, register, told } = await startBench({ peer });
    register();
    await turn();
    peer.connect();
    await turn(5);
    expect(told.slice(2)).toEqual(failure('TRANSPORT'));
  });

  test('[SRS_PROV_CLIENT_07_018] the reply leads to REGISTER_RECV; one that nobody waits for does nothing', async () => {
    const { peer, turn, states } = await registering();
    peer.reply(401, challenge);
    await turn();
    expect(states.slice(-2)).toEqual(['REGISTER_RECV', 'CONFIRM_SEND']);
    peer.repeat();
    await turn();
    expect(states.slice(-1)).toEqual(['CONFIRM_SEND']);
  });

  test.each([200, 202, 226])(
    '[SRS_PROV_CLIENT_07_014] [SRS_PROV_CLIENT_07_032] %i with an operation leads to STATUS_SEND and asks for it',
    async (status) => {
      const { client, peer, turn, told } = await registering();
      peer.reply(status, operation);
      client.doWork();
      expect([client.state, told.at(-1)]).toEqual(['STATUS_SEND', 'status ASSIGNING status-context']);
      await turn();
      expect(peer.requests.at(-1)).toMatchObject({
        method: 'GET',
        target: '/drs/registrations/my-device-1/operations/operation-1?api-version=2017-08-31-preview',
      });
    },
  );

  test('[SRS_PROV_CLIENT_07_032] a progress URL beside the operation is where it asks', async () => {
    const { peer, untilAsked } = await registering();
    peer.reply(200, { ...operation, progressUrl: '/p?q=1' });
    await untilAsked();
    expect(peer.requests.at(-1)?.target).toBe('/p?q=1&api-version=2017-08-31-preview');
  });

  test.each([
    'not JSON',
    '[]',
    { status: 'assigning' },
    { operationId: '', status: 'assigning' },
    { operationId: 7, status: 'assigning' },
    { operationId: 'o', status: 'assigned' },
  ])('[SRS_PROV_CLIENT_07_014] the answer %j is PARSING', async (body) => {
    const { peer, turn, told } = await registering();
    peer.reply(200, body);
    await turn(2);
    expect(told.slice(2)).toEqual(failure('PARSING'));
  });

  test('[SRS_PROV_CLIENT_07_033] 401 with a challenge leads to CONFIRM_SEND', async () => {
    const { client, peer, states } = await registering();
    peer.reply(401, challenge);
    client.doWork();
    expect(client.state).toBe('CONFIRM_SEND');
    expect(states).not.toContain('STATUS_SEND');
  });

  test.each([{ correlationId: 'c' }, { nonce: 'AAEC' }])(
    '[SRS_PROV_CLIENT_07_033] half a challenge, %j, is PARSING',
    async (body) => {
      const { peer, turn, told } = await registering();
      peer.reply(401, body);
      await turn(2);
      expect(told.slice(2)).toEqual(failure('PARSING'));
    },
  );

  test('[SRS_PROV_CLIENT_07_033] 401 without a challenge is a refusal, DEV_AUTH_ERROR', async () => {
    const { client, peer, turn, told } = await registering();
    peer.reply(401, { errorCode: 401_002, message: 'Unauthorized' });
    await turn(2);
    expect(told.slice(2)).toEqual(failure('DEV_AUTH_ERROR'));
    expect(client.lastError).toMatchObject({ serviceCode: 401_002, fault: 'service' });
  });
});

describe('confirming', () => {
  test('[SRS_PROV_CLIENT_07_020] the security client decrypts exactly the nonce that came, once', async () => {
    const { tpm } = await confirming();
    const decrypted = tpm.calls.filter(({ call }) => call === 'decryptNonce');
    expect(decrypted).toEqual([{ call: 'decryptNonce', input: Uint8Array.of(0, 1, 2, 3) }]);
  });

  test.each([
    ['throws', { onCall: (call: string) => (call === 'decryptNonce' ? fail() : undefined) }],
    ['gives nothing', { nonce: '' }],
  ])(
    '[SRS_PROV_CLIENT_07_021] a security client that %s is KEY_ERROR, and nothing is confirmed',
    async (_what, tpm) => {
      const { client, peer, turn, told } = await registering({ tpm: createFakeTpm(tpm) });
      peer.reply(401, challenge);
      await turn(3);
      expect(client.state).toBe('ERROR');
      await turn();
      expect(told.slice(2)).toEqual(failure('KEY_ERROR'));
      expect(peer.requests).toHaveLength(1);
    },
  );

  test('[SRS_PROV_CLIENT_07_015] the confirmation is the request of the requirements, as JSON', async () => {
    const { client, peer } = await confirming();
    expect(client.state).toBe('CONFIRM_SENT');
    expect(peer.requests.at(-1)).toMatchObject({
      method: 'POST',
      target: '/drs/trust-confirmation/my-device-1?api-version=2017-08-31-preview',
    });
    expect(peer.requests.at(-1)?.body).toEqual({
      correlationId: 'correlation-1',
      nonce: Buffer.from(plainNonce).toString('base64'),
    });
  });

  test('[SRS_PROV_CLIENT_07_022] the reply leads to CONFIRM_RECV', async () => {
    const { peer, turn, states } = await confirming();
    peer.reply(200, { progressUrl: '/p' });
    await turn();
    expect(states.slice(-2)).toEqual(['CONFIRM_RECV', 'URL_REQ_SEND']);
  });

  test('[SRS_PROV_CLIENT_07_023] [SRS_PROV_CLIENT_07_024] a progress URL leads to URL_REQ_SEND, whose next doWork asks there', async () => {
    const { client, peer, turn, told } = await confirming();
    peer.reply(201, { progressUrl: '/p', somethingElse: [] });
    client.doWork();
    expect([client.state, told.at(-1), peer.requests.length]).toEqual([
      'URL_REQ_SEND',
      'status ASSIGNING status-context',
      2,
    ]);
    await turn();
    expect([client.state, peer.requests.length]).toEqual(['URL_REQ_SENT', 3]);
  });

  test.each([
    [200, {}, 'PARSING'],
    [200, { progressUrl: '' }, 'PARSING'],
    [200, { progressUrl: 7 }, 'PARSING'],
    [200, 'not JSON', 'PARSING'],
    [401, {}, 'DEV_AUTH_ERROR'],
    [403, {}, 'DEV_AUTH_ERROR'],
    [404, {}, 'TRANSPORT'],
    [302, {}, 'TRANSPORT'],
  ])('[SRS_PROV_CLIENT_07_023] the answer %i %j is %s', async (status, body, result) => {
    const { peer, turn, told } = await confirming();
    peer.reply(status, body);
    await turn(2);
    expect(told.slice(2)).toEqual(failure(result));
  });

  test.each([
    'http://dps.example.test/p',
    'https://dps.example.test:8443/p',
    'https://evil.example.test/p',
    '//evil.example.test/p',
  ])(
    '[SRS_PROV_CLIENT_07_024] the progress URL %s leads away: TRANSPORT, and nothing is sent there',
    async (progressUrl) => {
      const { client, peer, turn, told } = await confirming();
      peer.reply(200, { progressUrl });
      await turn(2);
      expect(told.slice(2)).toEqual(failure('TRANSPORT'));
      expect(client.lastError?.cause).toMatchObject({ code: 'ERR_REMOTE_REDIRECT' });
      expect(peer.requests).toHaveLength(2);
    },
  );

  test('a redirect of the progress URL is not followed', async () => {
    const { peer, turn, told } = await watching();
    peer.reply(302, {}, { location: 'https://evil.example.test/p' });
    await turn(2);
    expect(told.slice(3)).toEqual(failure('TRANSPORT'));
    expect(peer.requests).toHaveLength(3);
  });
});

describe('watching', () => {
  test.each([
    ['/progress/1', '/progress/1?api-version=2017-08-31-preview'],
    ['/progress?id=1', '/progress?id=1&api-version=2017-08-31-preview'],
    ['https://dps.example.test/p?api-version=2020-01-01', '/p?api-version=2020-01-01'],
  ])('[SRS_PROV_CLIENT_07_025] %s is asked with one GET of %s', async (progressUrl, target) => {
    const { peer } = await watching(progressUrl);
    const { headers: _, ...request } = peer.requests.at(-1) ?? {};
    expect(request).toEqual({ method: 'GET', target, body: undefined });
  });

  test('[SRS_PROV_CLIENT_07_026] the reply leads to URL_REQ_RECV, and the hub in it to READY', async () => {
    const { client, peer, turn, states } = await watching();
    peer.reply(200, { IotHubUrl: 'hub.example.test' });
    await turn();
    expect(states.slice(-2)).toEqual(['URL_REQ_RECV', 'READY']);
    expect(client.state).toBe('READY');
  });

  test.each([
    [202, 'anything', {}, 2000],
    [200, { status: 'assigning' }, {}, 2000],
    [200, { status: 'assigning' }, { 'retry-after': '1' }, 2000],
    [200, { status: 'assigning' }, { 'retry-after': '7' }, 7000],
    [202, {}, { 'retry-after': '9999' }, 300_000],
  ])(
    '[SRS_PROV_CLIENT_07_026] %i %j %j asks again after exactly the longer of throttle and Retry-After',
    async (status, body, headers, pauseMs) => {
      const { client, peer, turn, clock } = await startBench({ deadlineMs: 86_400_000 }).then(
        async (bench) => {
          await bench.begin();
          bench.peer.reply(200, operation);
          await bench.untilAsked();
          return bench;
        },
      );
      peer.reply(status, body, { 'content-type': 'application/json', ...headers });
      await turn();
      expect(client.state).toBe('URL_REQ_SEND');
      await clock.advance(pauseMs - 1);
      await turn(3);
      expect(peer.requests).toHaveLength(2);
      await clock.advance(1);
      await turn();
      expect(peer.requests).toHaveLength(3);
    },
  );

  test.each([
    [{}, 'PARSING'],
    [{ IotHubUrl: 7 }, 'PARSING'],
    [{ status: 'assigned' }, 'PARSING'],
    ['not JSON', 'PARSING'],
    [{ status: 'failed', errorCode: 400_208, errorMessage: 'no hub' }, 'DEV_AUTH_ERROR'],
    [{ status: 'disabled' }, 'DEV_AUTH_ERROR'],
  ])('[SRS_PROV_CLIENT_07_026] the answer %j is %s', async (body, result) => {
    const { peer, turn, told } = await watching();
    peer.reply(200, body);
    await turn(2);
    expect(told.slice(3)).toEqual(failure(result));
  });

  test('[SRS_PROV_CLIENT_07_016] the register callback gets hub and device id, after the connection is closed and the state is READY', async () => {
    const bench = await startBench();
    const seen: unknown[] = [];
    bench.client.registerDevice(
      (...values) => seen.push([...values, bench.client.state, bench.client.isConnected, bench.peer.closes]),
      'context',
      (status) => seen.push(status),
    );
    await bench.untilAsked();
    bench.peer.connect();
    await bench.turn();
    await bench.untilAsked();
    bench.peer.reply(200, operation);
    await bench.turn(2);
    bench.peer.reply(200, { IotHubUrl: 'hub.example.test', deviceId: 'other-name' });
    await bench.turn(3);
    expect(seen).toEqual([0, 1, 2, 3, [0, 'hub.example.test', 'other-name', 'context', 'READY', false, 1]]);
  });

  test('[SRS_PROV_CLIENT_07_016] a key beside the hub goes to the security client first, and to nobody else', async () => {
    const { client, peer, tpm, turn, told } = await watching();
    peer.reply(200, { IotHubUrl: 'hub.example.test', tpm: { authenticationKey: 'CQk=' } });
    client.doWork();
    expect([client.state, told.length]).toEqual(['URL_REQ_RECV', 3]);
    await settle();
    await turn();
    expect(tpm.calls.at(-1)).toEqual({ call: 'activateIdentityKey', input: Uint8Array.of(9, 9) });
    expect(told.slice(3)).toEqual(['status ASSIGNED status-context', registered]);
  });

  test('[SRS_PROV_CLIENT_07_016] a key that cannot be imported is KEY_ERROR', async () => {
    const tpm = createFakeTpm({ onCall: (call) => (call === 'activateIdentityKey' ? fail() : undefined) });
    const { peer, turn, told } = await registering({ tpm });
    peer.reply(200, operation);
    await turn(2);
    peer.reply(200, { IotHubUrl: 'hub', tpm: { authenticationKey: 'CQk=' } });
    await turn(4);
    expect(told.slice(3)).toEqual(failure('KEY_ERROR'));
  });
});

test('[SRS_PROV_CLIENT_07_017] a failure leads to ERROR; the next doWork tells status, error and result, once; then all begins anew', async () => {
  const { client, peer, turn, told, begin } = await watching();
  peer.reply(400, { errorCode: 400_004, message: 'no' });
  await turn();
  expect([client.state, told.length]).toEqual(['ERROR', 3]);
  await turn(5);
  expect(told.slice(3)).toEqual(failure('TRANSPORT'));
  expect([client.state, peer.closes]).toEqual(['READY', 1]);
  told.length = 0;
  await begin();
  peer.reply(200, operation);
  await turn(2);
  expect(peer.requests.at(-1)?.target).toContain('/operations/operation-1?');
  peer.reply(200, { IotHubUrl: 'hub.example.test' });
  await turn();
  expect(told.at(-1)).toBe(registered);
  expect(client.lastError).toBeUndefined();
});

function fail(): never {
  throw new Error('the TPM refuses');
}
