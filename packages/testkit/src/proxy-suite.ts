/**
 * The suite of proxies, for any transport that can go over a WebSocket. Suites can only be registered while vitest runs.
 *
 * @packageDocumentation
 */
import type { Transport } from '@endorse/interface';
import { createSasToken, registrationResource } from '@endorse/protocol';
import { expect, test } from 'vitest';
import { startConnectProxy } from './connect-proxy.ts';
import type { EnrollingService } from './enrolled-devices.ts';
import { enrollDevices } from './enrolled-devices.ts';

/** The emulator, as far as transports are made for it. */
export interface ReachableService extends EnrollingService, AsyncDisposable {
  /** `host:port` of its HTTPS and WebSockets. */
  readonly provisioningHost: string;
  readonly caPem: string;
}

/** The transport under test and the service it reaches. */
export interface ProxySuiteSubject<Service extends ReachableService> {
  readonly startService: () => Promise<Service>;
  /** `host:port` of the listener of the carrier itself. */
  readonly hostOf: (service: Service) => string;
  /** The port of the carrier where a host names none. */
  readonly defaultPort: number;
  readonly createTransport: (options: {
    readonly ca?: string;
    readonly proxyUrl: string;
    readonly webSocket?: boolean;
  }) => Transport;
}

/** Registers the tests. Oracle: a proxy made by hand. */
export function runProxySuite<Service extends ReachableService>(subject: ProxySuiteSubject<Service>): void {
  const { createTransport, defaultPort } = subject;
  const { signal } = new AbortController();
  const attestation = { kind: 'symmetric-key' } as const;

  test.each([false, true])(
    'a proxy is tunnelled through, once for a session (WebSocket: %s)',
    async (webSocket) => {
      await using service = await subject.startService();
      await using proxy = await startConnectProxy();
      const provisioningHost = webSocket ? service.provisioningHost : subject.hostOf(service);
      await using enrolled = await enrollDevices(service, { provisioningHost });
      const { target, securityClient } = enrolled.devices['symmetric-key'];
      const { idScope, registrationId } = target;
      const sasToken = await createSasToken({
        resource: registrationResource(idScope, registrationId),
        keyName: 'registration',
        expiresAt: Date.now() + 60_000,
        sign: (data) => securityClient.signWithIdentity(data),
      });
      const proxyUrl = `http://user:word@127.0.0.1:${proxy.port}`;
      const transport = createTransport({ ca: service.caPem, proxyUrl, webSocket });
      await using session = transport.openSession(target, attestation);
      const registration = { sasToken, registrationInfo: { registrationId } };
      const { operationId } = (await session.register(registration, { signal })).operation;
      const query = { sasToken, registrationId, operationId };
      const { operation } = await session.queryOperationStatus(query, { signal });
      expect(operation.status).toBe('assigned');
      expect(proxy.requests).toHaveLength(1);
      expect(proxy.requests[0]).toMatch(new RegExp(`^CONNECT ${provisioningHost} HTTP/1.1\r\n`));
      expect(proxy.requests[0]).toContain(
        `Proxy-Authorization: Basic ${Buffer.from('user:word').toString('base64')}`,
      );
    },
  );

  test('a proxy that refuses is named', async () => {
    await using proxy = await startConnectProxy({
      answer: (socket) => void socket.end('HTTP/1.1 407 No\r\n\r\n'),
    });
    const transport = createTransport({ proxyUrl: `http://127.0.0.1:${proxy.port}` });
    const registrationId = 'device';
    const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId };
    const sasToken = await createSasToken({
      resource: registrationResource(target.idScope, registrationId),
      keyName: 'registration',
      expiresAt: Date.now() + 60_000,
      sign: async () => new Uint8Array(32),
    });
    await using session = transport.openSession(target, attestation);
    const request = { sasToken, registrationInfo: { registrationId } };
    await expect(session.register(request, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_PROXY',
      remedy: expect.stringContaining('password') as unknown,
    });
    expect(proxy.requests[0]).toMatch(
      new RegExp(`^CONNECT dps\\.example\\.test:${defaultPort} HTTP/1\\.1\r\n`),
    );
  });
}
