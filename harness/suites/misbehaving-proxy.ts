import { createServer, request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createTestAuthority } from '@endorse/testkit';

/** Where in an exchange the connection is dropped. */
export type DropPoint = 'before the request arrives' | 'after the service has answered';

/** A reverse proxy in front of the emulator that drops one exchange. */
export interface MisbehavingProxy extends AsyncDisposable {
  readonly provisioningHost: string;
  readonly caPem: string;
  /** Requests seen so far, dropped ones included. */
  readonly requests: number;
}

/** Starts the proxy. `dropRequest` counts from 0. */
export async function startMisbehavingProxy(options: {
  readonly upstream: string;
  readonly upstreamCaPem: string;
  readonly dropRequest: number;
  readonly dropPoint: DropPoint;
}): Promise<MisbehavingProxy> {
  const authority = createTestAuthority();
  const { certificatePem, privateKeyPem } = authority.issue({ names: ['localhost'] });
  let requests = 0;
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (incoming, outgoing) => {
    const drop = requests === options.dropRequest;
    requests += 1;
    if (drop && options.dropPoint === 'before the request arrives') {
      incoming.socket.destroy();
      return;
    }
    forward(incoming, options, (answer, body) => {
      if (drop) incoming.socket.destroy();
      else reply(outgoing, answer, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    provisioningHost: `localhost:${port}`,
    caPem: authority.certificatePem,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function forward(
  incoming: IncomingMessage,
  { upstream, upstreamCaPem }: { readonly upstream: string; readonly upstreamCaPem: string },
  onAnswer: (answer: IncomingMessage, body: Buffer) => void,
): void {
  const { hostname, port } = new URL(upstream);
  const outgoing = httpsRequest(
    {
      hostname,
      port,
      ca: upstreamCaPem,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      agent: false,
    },
    (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('end', () => onAnswer(answer, Buffer.concat(chunks)));
    },
  );
  outgoing.once('error', () => incoming.socket.destroy());
  incoming.pipe(outgoing);
}

function reply(outgoing: ServerResponse, answer: IncomingMessage, body: Buffer): void {
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  outgoing.end(body);
}
