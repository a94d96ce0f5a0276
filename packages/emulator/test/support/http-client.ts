import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as startRequest } from 'node:https';
import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { parseServiceConnectionString } from '@endorse/protocol';
import { keysOf } from './core-fixture.ts';
import type { SoftwareTpm } from './software-tpm.ts';
import { deviceToken, sas, softwareTpm } from './software-tpm.ts';

/** An answer as `node:https` gave it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. */
  readonly json: () => Record<string, unknown>;
}

/** A request that `node:https` sends as it is, whatever is wrong with it. */
export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A running emulator and a client with one kept-alive connection to it. */
export interface EmulatorFixture extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly send: (request: RawRequest, base?: string) => Promise<Answer>;
  /** Sends with a token of the service API under the owner policy. */
  readonly sendAsOwner: (request: RawRequest) => Promise<Answer>;
}

export async function emulatorFixture(options: EmulatorOptions = {}): Promise<EmulatorFixture> {
  const emulator = await startEmulator(options);
  const agent = new Agent({ keepAlive: true, ca: emulator.caPem });
  const send = (request: RawRequest, base: string = emulator.endpoints.http): Promise<Answer> =>
    sendRaw(base, agent, request);
  return {
    emulator,
    send,
    sendAsOwner: async (request) =>
      send({ ...request, headers: { authorization: await ownerToken(emulator), ...request.headers } }),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await emulator.stop();
    },
  };
}

/** A token of the service API under the owner policy. */
export async function ownerToken(
  emulator: Emulator,
  change: { readonly resource?: string } = {},
): Promise<string> {
  const connection = parseServiceConnectionString(emulator.serviceConnectionString.revealText());
  return sas({
    resource: change.resource ?? connection.hostName,
    key: connection.sharedAccessKey.reveal(),
    keyName: connection.sharedAccessKeyName,
    expiresAt: Date.now() + 60_000,
  });
}

/** A TPM device that speaks to the emulator over HTTPS with nothing but `node:https`. */
export function tpmDevice(
  { emulator, send }: EmulatorFixture,
  registrationId: string,
  tpm: SoftwareTpm = softwareTpm(),
) {
  const path = `/${emulator.idScope}/registrations/${registrationId}`;
  const version = 'api-version=2021-06-01';
  const { endorsementKey, storageRootKey } = keysOf(tpm);
  const body = JSON.stringify({
    registrationId,
    tpm: { endorsementKey: base64(endorsementKey), storageRootKey: base64(storageRootKey) },
  });
  const headers = { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' };
  return {
    path,
    body,
    headers,
    requestChallenge: () => send({ method: 'PUT', path: `${path}/register?${version}`, headers, body }),
    register: (authorization: string) =>
      send({
        method: 'PUT',
        path: `${path}/register?${version}`,
        headers: { ...headers, authorization },
        body,
      }),
    // The official Node client sends a body with its GET.
    poll: (authorization: string, operationId: string) =>
      send({
        method: 'GET',
        path: `${path}/operations/${operationId}?${version}`,
        headers: { ...headers, authorization, 'content-length': '2' },
        body: '{}',
      }),
    /** Opens a challenge answer and signs a token under its key. */
    solve: async (challenge: Answer, expiresAt = Date.now() + 60_000): Promise<string> => {
      const key = tpm.open(Buffer.from(String(challenge.json()['authenticationKey']), 'base64'));
      return deviceToken({ idScope: emulator.idScope, registrationId, key, expiresAt });
    },
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Sends one request and collects its answer. */
export function sendRaw(base: string, agent: Agent, request: RawRequest): Promise<Answer> {
  const { hostname: bracketed, port } = new URL(base);
  const hostname = bracketed.replace(/^\[(.*)\]$/, '$1');
  const { method = 'GET', path, headers = {}, body } = request;
  return new Promise((resolve, reject) => {
    const outgoing = startRequest({ hostname, port, agent, method, path, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode = 0, headers: received } = incoming;
        resolve({
          status: statusCode,
          headers: received,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.end(body);
  });
}
