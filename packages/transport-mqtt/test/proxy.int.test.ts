/** Both ways through a CONNECT proxy, against the emulator. Oracle: a proxy made by hand, RFC 9110 section 9.3.6. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { createHmac } from 'node:crypto';
import { startEmulator } from '@endorse/emulator';
import { createSasToken, registrationResource } from '@endorse/protocol';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { expect, test } from 'vitest';
import { sasToken as anyToken, signal } from './support/device.ts';

/** A CONNECT proxy that answers with a status, and opens the tunnel for 200. */
async function startProxy(
  status = 200,
): Promise<AsyncDisposable & { readonly port: number; readonly requests: string[] }> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (header: Buffer) => {
      requests.push(header.toString('latin1'));
      const port = Number(/^CONNECT [^:]+:(\d+) /.exec(header.toString())?.[1]);
      if (status !== 200) {
        socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
        return;
      }
      const upstream = connect({ host: '127.0.0.1', port }, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test.each([false, true])(
  'a proxy is tunnelled through, once for a session (WebSocket: %s)',
  async (webSocket) => {
    await using emulator = await startEmulator();
    await using proxy = await startProxy();
    const registrationId = 'proxied';
    const { idScope } = emulator;
    const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
    const sasToken = await createSasToken({
      resource: registrationResource(idScope, registrationId),
      keyName: 'registration',
      expiresAt: Date.now() + 60_000,
      sign: async (data) => createHmac('sha256', primaryKey.reveal()).update(data).digest(),
    });
    const provisioningHost = webSocket ? emulator.provisioningHost : new URL(emulator.endpoints.mqtt).host;
    const proxyUrl = `http://user:word@127.0.0.1:${proxy.port}`;
    const transport = createMqttTransport({ ca: emulator.caPem, proxyUrl, webSocket });
    await using session = transport.openSession(
      { provisioningHost, idScope, registrationId },
      { kind: 'symmetric-key' },
    );
    const { operation } = await session.register(
      { sasToken, registrationInfo: { registrationId } },
      { signal },
    );
    const { operationId } = operation;
    const done = await session.queryOperationStatus({ sasToken, registrationId, operationId }, { signal });
    expect(done.operation.status).toBe('assigned');
    expect(proxy.requests).toHaveLength(1);
    expect(proxy.requests[0]).toMatch(new RegExp(`^CONNECT ${provisioningHost} HTTP/1.1\r\n`));
    expect(proxy.requests[0]).toContain(
      `Proxy-Authorization: Basic ${Buffer.from('user:word').toString('base64')}`,
    );
  },
);

test('a proxy that refuses is named', async () => {
  await using proxy = await startProxy(407);
  const transport = createMqttTransport({ proxyUrl: `http://127.0.0.1:${proxy.port}` });
  const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device' };
  await using session = transport.openSession(target, { kind: 'symmetric-key' });
  const request = { sasToken: anyToken, registrationInfo: { registrationId: 'device' } };
  await expect(session.register(request, { signal })).rejects.toMatchObject({
    code: 'ERR_TRANSPORT_PROXY',
    remedy: expect.stringContaining('password') as unknown,
  });
  expect(proxy.requests[0]).toMatch(/^CONNECT dps\.example\.test:8883 HTTP\/1\.1\r\n/);
});
