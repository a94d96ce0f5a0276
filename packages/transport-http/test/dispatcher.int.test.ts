import { closedPort } from '@endorse/testkit';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Dispatcher } from 'undici';
import { Agent, MockAgent, Pool } from 'undici';
import { Secret } from '@endorse/interface';
import type { HttpDispatchController, HttpDispatcher, OwnedHttpDispatcher } from '@endorse/transport-http';
import { createHttpTransport } from '@endorse/transport-http';
import { assigning, challengeBody, openDevice, signal } from './support/device.ts';
import { reply, startPeer } from './support/peer.ts';

describe('a dispatcher of the application', () => {
  test('is any of undici', () => {
    expectTypeOf<Dispatcher>().toExtend<HttpDispatcher>();
    expectTypeOf<Dispatcher>().toExtend<OwnedHttpDispatcher>();
  });

  test('carries the session and stays open after it', async () => {
    await using peer = await startPeer({
      answer: (request, index) =>
        index === 0 ? reply(request, 401, challengeBody) : reply(request, 202, assigning),
    });
    const agent = new Agent({ connections: 1, connect: { ca: peer.ca } });
    try {
      const first = openDevice(peer.host, { dispatcher: agent });
      await first.session.getAuthenticationChallenge(first.challenge, { signal });
      await first.session.close();
      expect(peer.open).toBe(1);
      await using second = openDevice(peer.host, { dispatcher: agent });
      await second.session.register(second.register, { signal });
      expect(peer.connections).toBe(1);
    } finally {
      await agent.destroy();
    }
  });

  test('may be a mock', async () => {
    const mock = new MockAgent();
    mock.disableNetConnect();
    mock
      .get('https://dps.example.test')
      .intercept({ method: 'PUT', path: /register/ })
      .reply(202, assigning, { headers: { 'content-type': 'application/json', 'retry-after': '4' } });
    await using device = openDevice('dps.example.test', { dispatcher: mock });
    expect(await device.session.register(device.register, { signal })).toMatchObject({ retryAfterMs: 4000 });
    await mock.close();
  });

  test('is told when a request is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    await using peer = await startPeer({ answer: () => controller.abort(reason) });
    const agent = new Agent({ connect: { ca: peer.ca } });
    try {
      await using device = openDevice(peer.host, { dispatcher: agent });
      const registering = device.session.register(device.register, { signal: controller.signal });
      await expect(registering).rejects.toBe(reason);
      await peer.until(() => peer.open === 0);
    } finally {
      await agent.destroy();
    }
  });

  test('that begins a request only after its abort takes it down then', async () => {
    const aborted: unknown[] = [];
    const begin: (() => void)[] = [];
    const dispatcher: HttpDispatcher = {
      dispatch: (_options, handler) => {
        const controller: HttpDispatchController = { abort: (reason) => void aborted.push(reason) };
        begin.push(() => handler.onRequestStart(controller));
        return true;
      },
    };
    await using device = openDevice('dps.example.test', { dispatcher });
    const controller = new AbortController();
    const registering = device.session.register(device.register, { signal: controller.signal });
    await expect.poll(() => begin.length).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(registering).rejects.toBe(reason);
    begin[0]?.();
    expect(aborted).toEqual([reason]);
  });

  test('that reports a late TLS alert makes it a TLS failure', async () => {
    // TLS 1.3 servers refuse a client certificate after the handshake, as the answer to the first request.
    const alert = Object.assign(new Error('tlsv13 alert certificate required'), {
      code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    });
    const dispatcher: HttpDispatcher = {
      dispatch: (_options, handler) => {
        handler.onResponseError(null, alert);
        return true;
      },
    };
    await using device = openDevice('dps.example.test', { dispatcher });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
      retryable: false,
      remedy: 'Check the client certificate and who issued it.',
    });
  });

  test('that throws is a connection that did not come about, not an uncaught error', async () => {
    const dispatcher: HttpDispatcher = {
      dispatch: () => {
        throw new Error('out of order');
      },
    };
    await using device = openDevice('dps.example.test', { dispatcher });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_CONNECT',
      phase: 'connect',
    });
  });

  test('whose connections fail is told apart as our own are', async () => {
    await using peer = await startPeer();
    const agent = new Agent();
    try {
      const refused = { code: 'ERR_TRANSPORT_CONNECT', phase: 'connect', retryable: true };
      const unknown = { code: 'ERR_TRANSPORT_DNS', phase: 'resolve' };
      const distrusted = { code: 'ERR_TRANSPORT_TLS', phase: 'tls', retryable: false };
      for (const [host, expected] of [
        [`localhost:${await closedPort()}`, refused],
        ['dps.endorse.invalid', unknown],
        [peer.host, distrusted],
      ] as const) {
        await using device = openDevice(host, { dispatcher: agent });
        await expect(device.session.register(device.register, { signal })).rejects.toMatchObject(expected);
      }
    } finally {
      await agent.destroy();
    }
  });

  test('that the application closed too early says so', async () => {
    const agent = new Agent();
    await agent.close();
    await using device = openDevice('dps.example.test', { dispatcher: agent });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_CLOSED',
      phase: 'close',
      retryable: false,
    });
  });

  test('cannot be shared for X.509, but made for each session with its certificate', async () => {
    await using peer = await startPeer({
      requestClientCertificate: true,
      answer: (request) => reply(request, 202, assigning),
    });
    const { certificatePem, privateKeyPem } = peer.authority.issue({ commonName: 'device-1' });
    const target = { provisioningHost: peer.host, idScope: '0ne00000001', registrationId: 'device-1' };
    const attestation = {
      kind: 'x509',
      certificate: { certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) },
    } as const;
    const agent = new Agent();
    expect(() => createHttpTransport({ dispatcher: agent }).openSession(target, attestation)).toThrowError(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'options.dispatcher' }),
    );
    await agent.destroy();

    const made: Pool[] = [];
    const transport = createHttpTransport({
      dispatcher: ({ origin, certificate }) => {
        const connectOptions = {
          ca: peer.ca,
          cert: certificate?.certificatePem,
          key: certificate?.privateKeyPem.revealText(),
        };
        const pool = new Pool(origin, { connect: connectOptions });
        made.push(pool);
        return pool;
      },
    });
    const session = transport.openSession(target, attestation);
    const request = { registrationInfo: { registrationId: 'device-1' } };
    await session.register(request, { signal });
    await session.register(request, { signal });
    expect(peer.requests[1]?.socket.getPeerCertificate().subject.CN).toBe('device-1');
    expect(made).toHaveLength(1);
    await session.close();
    expect(made[0]?.destroyed).toBe(true);
    await peer.until(() => peer.open === 0);
  });
});
