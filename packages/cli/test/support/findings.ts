import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { jsonLines } from './run-in-process.ts';

/** A finding as `--json` prints it. */
export type FindingLine = Readonly<
  Record<'check' | 'level' | 'message' | 'remedy' | 'code', string | undefined>
>;

/** The findings of a run. */
export function findingsIn(stdout: string): readonly FindingLine[] {
  return jsonLines(stdout).filter(({ event }) => event === 'finding') as unknown as readonly FindingLine[];
}

/** The finding of one check. */
export function finding(stdout: string, check: string): FindingLine | undefined {
  return findingsIn(stdout).find((line) => line.check === check);
}

/** A proxy that tunnels, when the credentials are right. */
export async function startProxy(credentials?: string): Promise<AsyncDisposable & { readonly port: number }> {
  const expected =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
  const server: Server = createServer().on('connect', (incoming, socket) => {
    socket.on('error', () => socket.destroy());
    if (incoming.headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (incoming.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
