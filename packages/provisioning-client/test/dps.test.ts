/** Today's protocol on the same pump: over a pump transport, and over any transport. */
import { createHmac } from 'node:crypto';
import { Secret, ServiceError, TransportError } from '@endorse/interface';
import { encodeChallengeBody, encodeOperationStatus } from '@endorse/protocol';
import type { ScriptStep } from '@endorse/testkit';
import { assignedReply, assigningReply, createScriptedTransport, failedReply } from '@endorse/testkit';
import { describe, expect, test } from 'vitest';
import type { Bench } from './support/bench.ts';
import { startBench } from './support/bench.ts';
import { createFakeTpm } from './support/fake-tpm.ts';

const challenge = encodeChallengeBody({ activationBlob: Uint8Array.of(1, 2, 3) });
const assigning = encodeOperationStatus({ operationId: 'operation-1', status: 'assigning' });
const assigned = encodeOperationStatus({
  operationId: 'operation-1',
  status: 'assigned',
  registrationState: {
    status: 'assigned',
    assignedHub: 'hub.example.test',
    deviceId: 'device-at-hub',
    payload: { zone: 7 },
    tpm: { authenticationKey: Uint8Array.of(4, 5, 6) },
  },
});
const states = [
  'REGISTER_SEND',
  'REGISTER_SENT',
  'REGISTER_RECV',
  'CONFIRM_SEND',
  'CONFIRM_SENT',
  'CONFIRM_RECV',
];

describe('over a pump', () => {
  test('a TPM is challenged, proves itself with a token, and imports the hub key', async () => {
    const {
      client,
      peer,
      tpm,
      begin,
      untilAsked,
      turn,
      told,
      states: seen,
    } = await startBench({ dialect: 'dps' });
    client.setProvisioningPayload({ model: 'x' });
    await begin();
    peer.reply(401, challenge);
    await turn();
    await untilAsked();
    peer.reply(202, assigning, { 'content-type': 'application/json', 'retry-after': '0' });
    await turn();
    await untilAsked();
    peer.reply(200, assigned);
    await turn(5);
    expect(told.at(-1)).toBe('result OK hub.example.test device-at-hub context');
    expect(client.getProvisioningPayload()).toEqual({ zone: 7 });
    expect(seen).toEqual([...states, 'URL_REQ_SEND', 'URL_REQ_SENT', 'URL_REQ_RECV', 'READY']);
    const [first, second, third] = peer.requests;
    const path = '/0ne00000001/registrations/my-device-1';
    expect(peer.requests.map(({ method, target }) => `${method} ${target.split('?')[0]}`)).toEqual([
      `PUT ${path}/register`,
      `PUT ${path}/register`,
      `GET ${path}/operations/operation-1`,
    ]);
    expect(first?.headers).not.toHaveProperty('authorization');
    expect(first?.body).toMatchObject({ payload: { model: 'x' }, tpm: { endorsementKey: 'AQIDBA==' } });
    expect(second?.headers['authorization']).toMatch(/^SharedAccessSignature sr=.*&skn=registration$/);
    expect(third?.headers['authorization']).toBe(second?.headers['authorization']);
    expect(tpm.calls.filter(({ call }) => call === 'activateIdentityKey')).toEqual([
      { call: 'activateIdentityKey', input: Uint8Array.of(1, 2, 3) },
      { call: 'activateIdentityKey', input: Uint8Array.of(4, 5, 6) },
    ]);
  });

  test.each([
    ['disabled', { status: 'disabled', operationId: '' }, 'DEV_AUTH_ERROR'],
    ['failed', failed(), 'DEV_AUTH_ERROR'],
    ['assigned without a hub', { status: 'assigned', operationId: 'o', registrationState: {} }, 'PARSING'],
    [
      'assigned without the key that a TPM needs',
      { status: 'assigned', operationId: 'o', registrationState: { assignedHub: 'hub' } },
      'PARSING',
    ],
    ['assigning without an operation', { status: 'assigning' }, 'PARSING'],
    ['no JSON', 'text', 'PARSING'],
  ])('a registration that is %s is told apart', async (_what, body, result) => {
    const { peer, begin, untilAsked, turn, told } = await startBench({ dialect: 'dps' });
    await begin();
    peer.reply(401, challenge);
    await turn();
    await untilAsked();
    peer.reply(200, body);
    await turn(4);
    expect(told.at(-1)).toBe(`result ${result} null null context`);
  });

  test('a service that refuses every token is given up after three challenges', async () => {
    const { peer, begin, turn, untilAsked, clock, told, tpm } = await startBench({ dialect: 'dps' });
    await begin();
    for (let round = 0; round < 3; round += 1) {
      peer.reply(401, challenge);
      await turn();
      await untilAsked();
      peer.reply(401, { errorCode: 401_002, message: 'Unauthorized' });
      await turn(2);
      await clock.advance(2000);
      if (round < 2) {
        await turn();
        await untilAsked();
      }
    }
    await turn(4);
    expect(told.at(-1)).toBe('result DEV_AUTH_ERROR null null context');
    expect(tpm.calls.filter(({ call }) => call === 'activateIdentityKey')).toHaveLength(3);
  });

  test('an operation that the service forgot is begun anew', async () => {
    const { peer, begin, turn, untilAsked, clock } = await startBench({ dialect: 'dps' });
    await begin();
    peer.reply(401, challenge);
    await turn();
    await untilAsked();
    peer.reply(202, assigning);
    await turn();
    await untilAsked();
    peer.reply(404, { errorCode: 404_202, message: 'Registration not found' });
    await turn(2);
    await clock.advance(2000);
    await untilAsked();
    expect(peer.requests.at(-1)?.headers).not.toHaveProperty('authorization');
  });
});

describe('over a transport', () => {
  const scripted = async (
    script: readonly ScriptStep[],
    options: Parameters<typeof startBench>[0] = {},
  ): Promise<Bench & { readonly transport: ReturnType<typeof createScriptedTransport> }> => {
    const transport = createScriptedTransport(script);
    const bench = await startBench({ transport, dialect: 'dps', throttleMs: 0, ...options });
    bench.register();
    await bench.turn(20);
    return { ...bench, transport };
  };
  const blob = { activationBlob: Uint8Array.of(1, 2, 3), keyName: 'registration' };

  test('a TPM registers, and the session is closed', async () => {
    const { transport, told } = await scripted([
      { call: 'getAuthenticationChallenge', answer: { reply: blob } },
      { call: 'register', answer: { reply: assigningReply('o') } },
      { call: 'queryOperationStatus', answer: { reply: assigningReply('o') } },
      {
        call: 'queryOperationStatus',
        answer: { reply: assignedReply('o', { registrationId: 'd', hubKey: Uint8Array.of(9) }) },
      },
    ]);
    expect(told.map((line) => line.replace(/ status-context| context/, ''))).toEqual([
      'status CONNECTED',
      'status REGISTERING',
      'status ASSIGNING',
      'status ASSIGNED',
      expect.stringMatching(/^result OK /) as unknown,
    ]);
    transport.assertDone();
  });

  test('a device with a key signs at once', async () => {
    const key = 'the key of the device';
    const { transport, told, logLines } = await scripted(
      [{ call: 'register', answer: { reply: assignedReply('o', { registrationId: 'key-device' }) } }],
      {
        securityClient: {
          specificationVersion: 'v1',
          kind: 'symmetric-key',
          getRegistrationId: async () => 'key-device',
          signWithIdentity: async (data) => createHmac('sha256', key).update(data).digest(),
        },
      },
    );
    expect(told.at(-1)).toMatch(/^result OK /);
    expect(transport.calls.filter(({ call }) => call === 'register')).toMatchObject([
      { request: { sasToken: expect.any(Secret) as unknown } },
    ]);
    expect(JSON.stringify(logLines)).not.toContain('SharedAccessSignature');
    transport.assertDone();
  });

  test('a device whose tokens somebody else issues asks for one', async () => {
    const issued = Secret.fromText('SharedAccessSignature sr=x');
    const { transport, told } = await scripted(
      [{ call: 'register', answer: { reply: assignedReply('o', { registrationId: 'issued-device' }) } }],
      {
        securityClient: {
          specificationVersion: 'v1',
          kind: 'symmetric-key',
          getRegistrationId: async () => 'issued-device',
          issueSasToken: async () => ({ sasToken: issued, expiresAt: Date.now() + 3_600_000 }),
        },
      },
    );
    expect(told.at(-1)).toMatch(/^result OK /);
    const [register] = transport.calls.filter(({ call }) => call === 'register');
    expect(register).toHaveProperty('request.sasToken', issued);
    transport.assertDone();
  });

  test.each([
    [new ServiceError('no', { status: 403 }), 'DEV_AUTH_ERROR'],
    [new ServiceError('no', { status: 400, serviceCode: 400_004 }), 'TRANSPORT'],
    [new TransportError('ERR_TRANSPORT_LOST', 'lost', { phase: 'receive', retryable: true }), 'TRANSPORT'],
  ])('%s is told as %s', async (error, result) => {
    const { client, transport, told } = await scripted([
      { call: 'getAuthenticationChallenge', answer: { error } },
    ]);
    expect(told.at(-1)).toBe(`result ${result} null null context`);
    expect(client.lastError?.cause).toBe(error);
    transport.assertDone();
  });

  test('a session that cannot be opened is told, too', async () => {
    const transport = {
      ...createScriptedTransport([]),
      openSession: () => {
        throw new Error('no');
      },
    };
    const { register, turn, told } = await startBench({ transport, dialect: 'dps' });
    register();
    await turn(4);
    expect(told.at(-1)).toBe('result TRANSPORT null null context');
  });

  test('a destroyed client closes its session, and cuts its request short', async () => {
    const transport = createScriptedTransport([
      { call: 'getAuthenticationChallenge', answer: { hang: true } },
    ]);
    const { client, register, turn, told } = await startBench({
      transport,
      dialect: 'dps',
      tpm: createFakeTpm(),
    });
    register();
    await turn(5);
    client.destroy();
    await turn(3);
    expect(told.some((line) => line.startsWith('result'))).toBe(false);
    transport.assertDone();
  });
});

function failed(): unknown {
  const { operation } = failedReply('o', 400_208, 'no hub');
  return JSON.parse(encodeOperationStatus(operation)) as unknown;
}
