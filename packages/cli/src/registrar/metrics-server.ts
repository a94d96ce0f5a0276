import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RegistrarMetrics } from '@endorse/dynamic-registration/server';
import { UsageError } from '../command/usage-error.ts';

/** A server of counters. */
export interface MetricsServer {
  /** Where Prometheus finds them. */
  readonly url: string;
  /** Stops serving. */
  close(): Promise<void>;
}

/** Serves counters as Prometheus text at `/metrics`, on loopback only: they are the operator's. Throws `UsageError` for a port that cannot be had. */
export async function serveMetrics(metrics: RegistrarMetrics, port: number): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url === '/metrics';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(found ? metrics.render() : '');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new UsageError(`--metrics-port: cannot listen on ${port}`, { cause }));
    });
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
