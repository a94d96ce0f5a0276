import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Secret } from '@endorse/interface';
import { closedPort, createTestAuthority, startConnectProxy } from '@endorse/testkit';
import { assigning, openDevice, openTrustingDevice, signal } from './support/device.ts';
import { reply, startPeer } from './support/peer.ts';

const password = 'p@ss:w%rd';
const credentials = `user:${encodeURIComponent(password)}`;

describe('a proxy', () => {
  test('is tunnelled through with CONNECT, once for the whole session', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    await using proxy = await startConnectProxy();
    await using device = openTrustingDevice(peer, { proxyUrl: `http://localhost:${proxy.port}` });
    await device.session.register(device.register, { signal });
    await device.session.queryOperationStatus(device.query, { signal });
    expect(proxy.requests).toEqual([`CONNECT ${peer.host} HTTP/1.1\r\nHost: ${peer.host}\r\n\r\n`]);
    expect(peer.connections).toBe(1);
    await device.session.close();
    await expect.poll(() => proxy.open).toBe(0);
  });

  test('is given the credentials of its address', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    await using proxy = await startConnectProxy();
    const proxyUrl = Secret.fromText(`http://${credentials}@localhost:${proxy.port}/`);
    await using device = openTrustingDevice(peer, { proxyUrl });
    await device.session.register(device.register, { signal });
    const basic = Buffer.from(`user:${password}`).toString('base64');
    expect(proxy.requests[0]).toContain(`\r\nProxy-Authorization: Basic ${basic}\r\n`);
    expect(peer.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('may speak TLS, trusted by a certificate authority of its own', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    const authority = createTestAuthority();
    await using proxy = await startConnectProxy({ authority });
    const proxyUrl = `https://${credentials}@localhost:${proxy.port}`;
    await using device = openTrustingDevice(peer, { proxyUrl, proxyCa: authority.certificatePem });
    expect((await device.session.register(device.register, { signal })).operation).toEqual(assigning);
    expect(proxy.requests[0]).toContain('Proxy-Authorization: Basic ');

    await using distrusting = openTrustingDevice(peer, { proxyUrl });
    await expect(distrusting.session.register(distrusting.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_PROXY',
      phase: 'proxy',
      retryable: false,
    });
    expect(proxy.requests).toHaveLength(1);
  });

  test('does not weaken the check of the certificate behind it', async () => {
    await using peer = await startPeer({
      certificate: (issuer) => issuer.issue({ names: ['other.example.test'] }),
    });
    await using proxy = await startConnectProxy();
    await using device = openTrustingDevice(peer, { proxyUrl: `http://localhost:${proxy.port}` });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
    });
  });

  test.each<[string, string | undefined, object]>([
    [
      '407',
      'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n',
      { retryable: false, remedy: expect.stringContaining('password') as unknown },
    ],
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', { retryable: false }],
    ['502', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', { retryable: true }],
    ['no HTTP', 'hello there\r\n\r\n', { retryable: true }],
    ['a header without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}`, { retryable: true }],
    ['hanging up', undefined, { retryable: true }],
  ])('that answers with %s is reported as such, without its password', async (_title, answer, expected) => {
    await using proxy = await startConnectProxy({
      answer: (socket) => (answer === undefined ? socket.destroy() : void socket.write(answer, 'latin1')),
    });
    await using device = openDevice('dps.example.test', {
      proxyUrl: `http://${credentials}@localhost:${proxy.port}`,
    });
    const error: unknown = await device.session.register(device.register, { signal }).then(
      () => undefined,
      (rejection: unknown) => rejection,
    );
    expect(error).toMatchObject({ code: 'ERR_TRANSPORT_PROXY', phase: 'proxy', ...expected });
    const printed = inspect(error, { depth: 10, showHidden: true });
    expect(printed).not.toContain(password);
    expect(printed).not.toContain(encodeURIComponent(password));
    expect(printed).not.toContain(Buffer.from(`user:${password}`).toString('base64'));
    await expect.poll(() => proxy.open).toBe(0);
  });

  test('is taken from the environment only when asked to, as it was when the transport was made', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    await using proxy = await startConnectProxy();
    const names = ['https_proxy', 'no_proxy', 'NO_PROXY'] as const;
    const before = names.map((name) => process.env[name]);
    try {
      for (const name of names) delete process.env[name];
      process.env['https_proxy'] = `http://localhost:${proxy.port}`;
      await using device = openTrustingDevice(peer);
      await device.session.register(device.register, { signal });
      expect(proxy.requests).toHaveLength(0);
      await using proxied = openTrustingDevice(peer, { proxyFromEnvironment: true });
      process.env['https_proxy'] = 'http://localhost:1';
      await proxied.session.register(proxied.register, { signal });
      expect(proxy.requests).toHaveLength(1);
      process.env['no_proxy'] = 'localhost';
      await using excepted = openTrustingDevice(peer, { proxyFromEnvironment: true });
      await excepted.session.register(excepted.register, { signal });
      expect(proxy.requests).toHaveLength(1);
    } finally {
      names.forEach((name, index) => {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      });
    }
  });

  test('that nobody runs is a proxy failure, not a failure of the service', async () => {
    await using device = openDevice('dps.example.test', {
      proxyUrl: `http://localhost:${await closedPort()}`,
    });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_PROXY',
      phase: 'proxy',
      retryable: true,
    });
  });

  test('that says nothing runs into the connect time-out, and leaves no socket', async () => {
    await using proxy = await startConnectProxy({ answer: () => undefined });
    await using device = openDevice('dps.example.test', {
      proxyUrl: `http://localhost:${proxy.port}`,
      connectTimeoutMs: 60,
    });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      state: 'connecting',
    });
    await expect.poll(() => proxy.open).toBe(0);
  });

  test('reports a service that hangs up in the handshake as a TLS failure', async () => {
    await using proxy = await startConnectProxy({
      answer: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.once('data', () => socket.destroy());
      },
    });
    await using device = openDevice('dps.example.test', { proxyUrl: `http://localhost:${proxy.port}` });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_TLS',
      phase: 'tls',
      retryable: true,
    });
  });

  test('is an IPv6 service tunnelled to in brackets', async () => {
    await using proxy = await startConnectProxy({ answer: (socket) => socket.destroy() });
    await using device = openDevice('[2001:db8::1]:8443', { proxyUrl: `http://localhost:${proxy.port}` });
    await expect(device.session.register(device.register, { signal })).rejects.toThrow();
    expect(proxy.requests[0]).toMatch(/^CONNECT \[2001:db8::1\]:8443 HTTP\/1\.1\r\n/);
  });
});
