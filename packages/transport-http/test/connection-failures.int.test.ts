import { closedPort } from '@endorse/testkit';
import { describe, expect, test } from 'vitest';
import { assigning, challengeBody, openDevice, openTrustingDevice, signal } from './support/device.ts';
import { reply, startPeer, startTcpPeer } from './support/peer.ts';

describe('a connection that does not come about', () => {
  test('nobody listens', async () => {
    await using device = openDevice(`localhost:${await closedPort()}`);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_CONNECT',
      phase: 'connect',
      retryable: true,
      fault: 'transport',
      remedy: 'Check the port, and that the service is running.',
    });
  });

  test('the name does not exist', async () => {
    // RFC 6761 reserves .invalid; a resolver that is out of reach says "again".
    await using device = openDevice('dps.endorse.invalid');
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_DNS',
      phase: 'resolve',
      remedy: expect.stringContaining('name servers') as unknown,
    });
  });

  test('the authority is not trusted', async () => {
    await using peer = await startPeer();
    await using device = openDevice(peer.host);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
      retryable: false,
      remedy: expect.stringContaining('`ca`') as unknown,
      cause: expect.objectContaining({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }) as unknown,
    });
    expect(peer.requests).toHaveLength(0);
  });

  test('the certificate names another host', async () => {
    await using peer = await startPeer({
      certificate: (issuer) => issuer.issue({ names: ['other.example.test'] }),
    });
    await using device = openTrustingDevice(peer);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
      retryable: false,
      remedy: 'Use a host name that the certificate of the service names.',
      cause: expect.objectContaining({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }) as unknown,
    });
    expect(peer.requests).toHaveLength(0);
  });

  test('the certificate is out of date', async () => {
    await using peer = await startPeer({
      certificate: (issuer) =>
        issuer.issue({ names: ['localhost'], notBefore: 0, notAfter: 1_000_000_000_000 }),
    });
    await using device = openTrustingDevice(peer);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      remedy: expect.stringContaining('clock') as unknown,
      cause: expect.objectContaining({ code: 'CERT_HAS_EXPIRED' }) as unknown,
    });
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED does not turn verification off', async () => {
    await using peer = await startPeer();
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      await using device = openDevice(peer.host);
      await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
        code: 'ERR_TRANSPORT_TLS',
      });
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });

  test('the port does not speak TLS', async () => {
    await using peer = await startTcpPeer((socket) => void socket.write('SSH-2.0-OpenSSH_9.6\r\n'));
    await using device = openDevice(`localhost:${peer.port}`);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
      retryable: false,
      remedy: 'Check that the port speaks TLS 1.2 or 1.3.',
    });
  });

  test('the peer hangs up in the handshake', async () => {
    await using peer = await startTcpPeer((socket) => socket.once('data', () => socket.destroy()));
    await using device = openDevice(`localhost:${peer.port}`);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
      retryable: true,
    });
  });

  test('the peer accepts and says nothing', async () => {
    await using peer = await startTcpPeer(() => undefined);
    await using device = openDevice(`localhost:${peer.port}`, { connectTimeoutMs: 60 });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      deadlineMs: 60,
      state: 'connecting',
      retryable: true,
    });
  });
});

const requests = ['getAuthenticationChallenge', 'register', 'queryOperationStatus'] as const;

describe.each(requests.map((name, index) => [name, index] as const))('%s', (name, index) => {
  const send = (
    device: ReturnType<typeof openDevice>,
    which: (typeof requests)[number],
  ): Promise<unknown> => {
    switch (which) {
      case 'getAuthenticationChallenge':
        return device.session.getAuthenticationChallenge(device.challenge, { signal });
      case 'register':
        return device.session.register(device.register, { signal });
      case 'queryOperationStatus':
        return device.session.queryOperationStatus(device.query, { signal });
      default:
        return which satisfies never;
    }
  };
  const lost = { code: 'ERR_TRANSPORT_LOST', retryable: true, fault: 'transport' };

  test.each([
    ['before the request is read', true],
    ['after the request was read', false],
  ])('dropped %s', async (_title, before) => {
    await using peer = await startPeer({
      onSecure: (socket, connection) => {
        if (before && connection === 1) socket.destroy();
      },
      answer: (request, count) => {
        if (!before && count === index) request.socket.destroy();
        else if (request.headers['authorization'] === undefined) reply(request, 401, challengeBody);
        else reply(request, 202, assigning);
      },
    });
    await using device = openTrustingDevice(peer);
    if (!before) for (const earlier of requests.slice(0, index)) await send(device, earlier);
    await expect(send(device, name)).rejects.toMatchObject(lost);
    await send(device, name);
    expect(peer.connections).toBe(2);
  });

  test('dropped in the middle of the answer', async () => {
    await using peer = await startPeer({
      answer: ({ socket }) => {
        socket.write(
          'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"oper',
        );
        socket.end();
      },
    });
    await using device = openTrustingDevice(peer);
    await expect(send(device, name)).rejects.toMatchObject({ ...lost, phase: 'receive' });
  });

  test('dropped in the middle of a chunked answer', async () => {
    await using peer = await startPeer({
      answer: ({ socket }) => {
        socket.write(
          'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"op',
        );
        socket.end();
      },
    });
    await using device = openTrustingDevice(peer);
    await expect(send(device, name)).rejects.toMatchObject({ ...lost, phase: 'receive' });
  });

  test('never answered', async () => {
    await using peer = await startPeer();
    await using device = openTrustingDevice(peer, { headersTimeoutMs: 60 });
    await expect(send(device, name)).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      deadlineMs: 60,
      state: 'awaiting-reply',
      retryable: true,
    });
    await peer.until(() => peer.open === 0);
  });

  test('answered drop by drop', async () => {
    await using peer = await startPeer({
      answer: ({ socket }) => {
        socket.write(
          'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n',
        );
        // Every drop would restart a limit on idle time.
        const drip = setInterval(() => socket.write(' '), 5);
        socket.on('close', () => clearInterval(drip));
      },
    });
    await using device = openTrustingDevice(peer, { bodyTimeoutMs: 60 });
    await expect(send(device, name)).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      deadlineMs: 60,
      state: 'receiving-body',
    });
    await peer.until(() => peer.open === 0);
  });
});

test('a peer that closes after every answer is connected to anew', async () => {
  await using peer = await startPeer({
    answer: (request) => reply(request, 202, assigning, { Connection: 'close' }),
  });
  await using device = openTrustingDevice(peer);
  await device.session.register(device.register, { signal });
  await device.session.queryOperationStatus(device.query, { signal });
  expect(peer.connections).toBe(2);
});

test('a peer that hangs up while the connection is idle is connected to anew', async () => {
  await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
  await using device = openTrustingDevice(peer);
  await device.session.register(device.register, { signal });
  peer.requests[0]?.socket.end();
  await peer.until(() => peer.open === 0);
  await device.session.queryOperationStatus(device.query, { signal });
  expect(peer.connections).toBe(2);
});

test('a peer that always hangs up after the handshake ends the request, not in a loop of connections', async () => {
  await using peer = await startPeer({ onSecure: (socket) => void socket.end() });
  await using device = openTrustingDevice(peer);
  await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_LOST',
  });
  expect(peer.connections).toBe(1);
});
