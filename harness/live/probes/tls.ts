import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { Probe } from '../probe.ts';

/** The TLS layer of each listener. */
export const tlsProbes: readonly Probe[] = [
  {
    name: 'TLS: versions',
    assumes: 'TLS 1.3 is spoken, TLS 1.2 still is.',
    observe: async (service) => ({
      facts: Object.fromEntries(
        await Promise.all(
          (['http', 'amqp', 'mqtt'] as const).flatMap((listener) =>
            (['TLSv1.3', 'TLSv1.2'] as const).map(
              async (version) =>
                [`${listener} ${version}`, await handshake(service, listener, version)] as const,
            ),
          ),
        ),
      ),
    }),
  },
];

async function handshake(
  service: ServiceUnderTest,
  listener: 'http' | 'amqp' | 'mqtt',
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<string> {
  const { hostname, port } = new URL(service.endpoints[listener]);
  const socket = connect({
    host: hostname,
    servername: hostname,
    port: port === '' ? 443 : Number(port),
    ca: service.caPem,
    minVersion: version,
    maxVersion: version,
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(30_000) });
    return 'spoken';
  } catch (error) {
    return `refused: ${String((error as { readonly code?: unknown }).code)}`;
  } finally {
    socket.destroy();
  }
}
