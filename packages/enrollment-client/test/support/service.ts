import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Secret } from '@endorse/interface';
import type { EnrollmentClient, EnrollmentClientOptions } from '@endorse/enrollment-client';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { createTestAuthority } from '@endorse/testkit';

/** A request as the service got it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

/** What to answer: a status with headers and a body, or nothing, when the test has done something itself. */
export type ScriptedReply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | undefined;

/** A service that answers by script: what no real one can be made to do. */
export interface ScriptedService extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly requests: readonly ReceivedRequest[];
  /** A client of it; closed with the service. */
  client(options?: Partial<EnrollmentClientOptions>): EnrollmentClient;
}

export const policyKey: Secret = Secret.fromText('the key of the owner policy');

const authority = createTestAuthority();
const certificate = authority.issue({ names: ['localhost'] });

/** Starts one; `answer` gets the requests counted from 0. */
export async function startService(
  answer: (request: ReceivedRequest, index: number) => ScriptedReply,
): Promise<ScriptedService> {
  const requests: ReceivedRequest[] = [];
  const clients: EnrollmentClient[] = [];
  const server = createServer({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url: target = '', headers, socket } = incoming;
      const request = { method, target, headers, body: Buffer.concat(chunks).toString(), response, socket };
      requests.push(request);
      const reply = answer(request, requests.length - 1);
      if (reply === undefined) return;
      const { status, headers: more = {}, body = {} } = reply;
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...more });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = `localhost:${port}`;
  return {
    host,
    port,
    ca: authority.certificatePem,
    requests,
    client: (options = {}) => {
      const client = createEnrollmentClient({
        hostName: host,
        sharedAccessKeyName: 'owner',
        sharedAccessKey: policyKey,
        ca: authority.certificatePem,
        ...options,
      });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.close()));
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
