/** A service that breaks AMQP, the mechanism or the protocol at every step; the peer is bare rhea, or bytes by hand. */
import { startTlsPeer } from '@endorse/testkit';
import { describe, expect, test } from 'vitest';
import { challenge, openDevice, poll, register } from './support/device.ts';
import type { ScriptedRequest, ServiceScript } from './support/scripted-service.ts';
import { assigning, challenges, letIn, startService } from './support/scripted-service.ts';

const serviceError = JSON.stringify({ errorCode: 429_001, trackingId: 'tracking', message: 'Slow down' });

/** Registers with a service that follows a script, and returns what comes out. */
async function outcomeOf(script: ServiceScript): Promise<unknown> {
  await using service = await startService(script);
  await using session = openDevice(service, { replyTimeoutMs: 5_000, handshakeTimeoutMs: 5_000 });
  return await register(session).catch((error: unknown) => error);
}

describe('SASL', () => {
  test.each([
    [1, { code: 'ERR_SERVICE_UNAUTHORIZED', status: 401, retryable: false }],
    [3, { code: 'ERR_SERVICE_UNAVAILABLE', retryable: false }],
    [4, { code: 'ERR_SERVICE_UNAVAILABLE', status: 503, retryable: true }],
  ])('an outcome of %s is an error of the service', async (code, expected) => {
    await using peer = await startTlsPeer((socket) => {
      // The list of one symbol, PLAIN.
      socket.write(Buffer.from(`414d515003010000${frame('02010000005340c00801a305504c41494e')}`, 'hex'));
      socket.once('data', () => {
        socket.write(Buffer.from(frame(`02010000005344c00301500${code}`), 'hex'));
      });
    });
    await using session = openDevice(peer);
    expect(await register(session).catch((error: unknown) => error)).toMatchObject({
      fault: 'service',
      remedy: code === 1 ? (expect.stringMatching(/\S/) as unknown) : undefined,
      ...expected,
    });
  });

  test('without the mechanism of the attestation is said to be so', async () => {
    expect(
      await outcomeOf({ mechanisms: { EXTERNAL: () => letIn(), toString: () => letIn() } }),
    ).toMatchObject({
      code: 'ERR_REMOTE_UNEXPECTED',
      fault: 'peer',
      evidence: { path: 'sasl-mechanisms', sample: expect.stringContaining('EXTERNAL') as unknown },
    });
  });

  test('a challenge in PLAIN is a violation', async () => {
    expect(await outcomeOf({ mechanisms: { PLAIN: challenges(['00']) } })).toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
  });

  test.each([
    ['a segment instead of the first request', ['c001'], 'ERR_REMOTE_MALFORMED'],
    ['an empty challenge', [''], 'ERR_REMOTE_MALFORMED'],
    ['a control byte that is none', ['00', '4001'], 'ERR_REMOTE_MALFORMED'],
    ['segments out of order', ['00', '8001', '8301'], 'ERR_REMOTE_UNEXPECTED'],
    ['a segment twice', ['00', '8001', '8001'], 'ERR_REMOTE_UNEXPECTED'],
    [
      'segments without end',
      ['00', ...Array.from({ length: 8 }, (_unused, index) => `8${index % 4}01`)],
      'ERR_REMOTE_TOO_LARGE',
    ],
    ['a segment above 512 bytes', ['00', `80${'00'.repeat(600)}`], 'ERR_REMOTE_TOO_LARGE'],
  ])('%s in TPM is refused', async (_title, list, code) => {
    await using service = await startService({ mechanisms: { TPM: challenges(list) } });
    await using session = openDevice(service, { handshakeTimeoutMs: 5_000 }, { kind: 'tpm' });
    expect(await challenge(session, service).catch((error: unknown) => error)).toMatchObject({
      code,
      fault: 'peer',
    });
  });

  test('a TPM that was never challenged cannot register, and one whose connection is gone is told', async () => {
    await using service = await startService({ mechanisms: { TPM: challenges(['00', 'c001', '00']) } });
    await using session = openDevice(service, { handshakeTimeoutMs: 5_000 }, { kind: 'tpm' });
    await expect(register(session)).rejects.toMatchObject({ code: 'ERR_LOCAL_STATE' });
    expect((await challenge(session, service)).activationBlob).toEqual(Uint8Array.of(1));
    // A challenge after the token: the exchange is over, and so is the connection.
    await expect(register(session)).rejects.toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED' });
    await expect(register(session)).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST', retryable: true });
  });
});

describe('the end of', () => {
  const error = { condition: 'com.microsoft:device-container-throttled', description: serviceError };
  const told = {
    code: 'ERR_SERVICE_THROTTLED',
    serviceCode: 429_001,
    trackingId: 'tracking',
    retryable: true,
  };
  const untold = { code: 'ERR_TRANSPORT_LOST', fault: 'transport', retryable: true };

  test.each([
    ['a link that is refused', { onAttach: ({ receiver }) => receiver?.close(error) }, told],
    [
      'the answer link, mid-operation',
      onMessage(({ context }) => context.session?.find_sender(() => true)?.close(error)),
      told,
    ],
    ['a link without a reason', onMessage(({ context }) => context.receiver?.close()), untold],
    ['the session', onMessage(({ context }) => context.session?.close(error)), told],
    ['the connection', onMessage(({ context }) => context.connection.close(error)), told],
    ['the connection, at once', { onOpen: ({ connection }) => connection.close(error) }, told],
    ['the connection without a reason', onMessage(({ context }) => context.connection.close()), untold],
    ['the socket', onMessage(({ socket }) => socket.destroy()), untold],
  ] as [string, ServiceScript, object][])(
    '%s fails the request at once with what was said',
    async (_title, script, expected) => {
      expect(await outcomeOf(script)).toMatchObject(expected);
    },
  );

  test('a connection between two requests is noticed, and the next request opens another', async () => {
    await using service = await startService({
      onMessage: ({ context, send }, index) => {
        context.delivery?.accept();
        send(assigning);
        if (index === 1) setImmediate(() => context.connection.close());
      },
    });
    await using session = openDevice(service);
    await register(session);
    await expect.poll(() => service.open).toBe(0);
    expect(await poll(session)).toMatchObject({ operation: assigning });
    expect(service.connections).toBe(2);
  });
});

describe('an answer', () => {
  test.each([
    [
      'that is a rejection',
      ({ context }) =>
        context.delivery?.reject({ condition: 'amqp:not-found', description: '{"errorCode":404201}' }),
      { code: 'ERR_SERVICE_NOT_FOUND', serviceCode: 404_201 },
    ],
    [
      'that is a rejection with a pause',
      ({ context }) =>
        context.delivery?.reject({ condition: 'amqp:internal-error', info: { 'retry-after': 7 } }),
      { code: 'ERR_SERVICE_UNAVAILABLE', retryAfterMs: 7000 },
    ],
    [
      'that is a rejection without an error',
      ({ context }) => context.delivery?.reject(),
      { code: 'ERR_REMOTE_UNEXPECTED', retryable: true },
    ],
    [
      'that releases the request',
      ({ context }) => context.delivery?.release(),
      { code: 'ERR_REMOTE_UNEXPECTED', retryable: true },
    ],
    [
      'without a correlation id',
      ({ send }) => send(assigning, { correlation_id: undefined }),
      { code: 'ERR_REMOTE_UNEXPECTED', evidence: { path: 'correlation-id' } },
    ],
    ['without JSON', ({ send }) => send('<html>'), { code: 'ERR_REMOTE_MALFORMED' }],
    ['with another status', ({ send }) => send({ status: 'dancing' }), { code: 'ERR_REMOTE_UNEXPECTED' }],
    ['with a body of another kind', ({ send }) => send('', { body: 7 }), { code: 'ERR_REMOTE_MALFORMED' }],
    ['above 1 MiB', ({ send }) => send('x'.repeat(1_100_000)), { code: 'ERR_REMOTE_TOO_LARGE' }],
  ] as [string, (request: ScriptedRequest) => void, object][])(
    '%s is a typed error',
    async (_title, answer, expected) => {
      expect(await outcomeOf(onMessage(answer))).toMatchObject(expected);
    },
  );

  test('for something else is ignored, and a second one does no harm', async () => {
    await using service = await startService({
      onMessage: ({ context, send }) => {
        context.delivery?.accept();
        send({ status: 'disabled' }, { correlation_id: 'of somebody else' });
        send(assigning);
        send(assigning);
      },
    });
    await using session = openDevice(service);
    expect(await register(session)).toEqual({ operation: assigning });
    expect(await poll(session)).toEqual({ operation: assigning });
    expect(service.connections).toBe(1);
  });

  test('may be text, and may say when to come again', async () => {
    const application_properties = { 'Retry-After': 2 };
    const outcome = await outcomeOf(
      onMessage(({ send }) => send('', { body: JSON.stringify(assigning), application_properties })),
    );
    expect(outcome).toEqual({ operation: assigning, retryAfterMs: 2000 });
  });

  test('that refuses leaves the connection as it is', async () => {
    await using service = await startService({
      onMessage: ({ context, send }, index) => {
        if (index === 1) context.delivery?.reject({ condition: 'amqp:not-found' });
        else send(assigning);
      },
    });
    await using session = openDevice(service);
    await expect(register(session)).rejects.toMatchObject({ code: 'ERR_SERVICE_NOT_FOUND' });
    await poll(session);
    expect(service.connections).toBe(1);
  });
});

describe('a peer that goes silent', () => {
  const patience = { connectTimeoutMs: 20_000, handshakeTimeoutMs: 20_000, replyTimeoutMs: 20_000 };
  /** Only the bound of the state it falls silent in is short: a busy machine must not strike another one. */
  const boundsOf = (state: string): typeof patience => {
    if (state === 'connecting') return { ...patience, connectTimeoutMs: 100 };
    return state === 'awaiting-reply'
      ? { ...patience, replyTimeoutMs: 100 }
      : { ...patience, handshakeTimeoutMs: 100 };
  };
  const never = (): Promise<never> => new Promise(() => undefined);

  test.each([
    ['before SASL', { mechanisms: { PLAIN: () => ({ start: never, step: never }) } }, 'authenticating'],
    ['after the request', onMessage(() => undefined), 'awaiting-reply'],
    [
      'after it has accepted the request',
      onMessage(({ context }) => context.delivery?.accept()),
      'awaiting-reply',
    ],
  ] as [string, ServiceScript, string][])('%s is given up', async (_title, script, state) => {
    await using service = await startService(script);
    await using session = openDevice(service, boundsOf(state));
    await expect(register(session)).rejects.toMatchObject({ code: 'ERR_TIMEOUT', state, retryable: true });
    await expect.poll(() => service.open).toBe(0);
  });

  test.each([
    ['before TLS is done with', false, 'authenticating'],
    ['before the WebSocket is open', true, 'connecting'],
  ])('%s is given up', async (_title, webSocket, state) => {
    await using peer = await startTlsPeer();
    await using session = openDevice(peer, { ...boundsOf(state), webSocket });
    await expect(register(session)).rejects.toMatchObject({ code: 'ERR_TIMEOUT', state });
    await expect.poll(() => peer.open).toBe(0);
  });

  test('in the middle of a challenge is given up', async () => {
    await using service = await startService({ mechanisms: { TPM: () => ({ start: never, step: never }) } });
    await using session = openDevice(service, boundsOf('awaiting-challenge'), { kind: 'tpm' });
    await expect(challenge(session, service)).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      state: 'awaiting-challenge',
    });
  });
});

describe('bytes that are no AMQP', () => {
  const header = '414d515000010000';
  test.each([
    [
      'of a web server',
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex'),
      'ERR_REMOTE_MALFORMED',
    ],
    ['of AMQP 0-9-1', '414d515000000901', 'ERR_REMOTE_MALFORMED'],
    ['of a service that wants no SASL', header, 'ERR_REMOTE_MALFORMED'],
    ['with a frame of 2 GiB', `414d5150030100007fffffff02010000`, 'ERR_REMOTE_TOO_LARGE'],
    [
      'with an endless array',
      `414d515003010000${frame('02010000005340c00b01f000000005ffffffff45')}`,
      'ERR_REMOTE_MALFORMED',
    ],
    [
      'with an outcome before anything',
      `414d515003010000${frame('02010000005344c003015000')}${frame('02010000005344c003015000')}`,
      'ERR_REMOTE_MALFORMED',
    ],
  ])('%s are a typed error', async (_title, hex, code) => {
    await using peer = await startTlsPeer((socket) => void socket.resume().write(Buffer.from(hex, 'hex')));
    await using session = openDevice(peer, { handshakeTimeoutMs: 5_000 });
    expect(await register(session).catch((error: unknown) => error)).toMatchObject({ code, fault: 'peer' });
    await expect.poll(() => peer.open).toBe(0);
  });
});

function onMessage(answer: (request: ScriptedRequest) => void): ServiceScript {
  return { onMessage: answer };
}

/** A frame of which everything behind the size is given, in hex. */
function frame(hex: string): string {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(4 + hex.length / 2);
  return size.toString('hex') + hex;
}
