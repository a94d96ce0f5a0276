/**
 * A hand-made gateway: real HTTPS on the loopback, the documented answers of its family, and a state that requests
 * change. It records what arrives, and a test may answer in its place.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { GatewayClientOptions, GatewayFamily, GatewaySession } from '@endorse/thingspro-edge';
import { createGatewayClient, createMemoryPins, fingerprintOfPem } from '@endorse/thingspro-edge';
import { Secret } from '@endorse/interface';

const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

/** Certificates of the fixtures, with their keys. */
export const certificates = {
  first: { cert: fixture('first.crt'), key: fixture('first.key') },
  second: { cert: fixture('second.crt'), key: fixture('second.key') },
  /** For 127.0.0.1 and gateway.example.test, signed by {@link authority}. */
  signed: { cert: fixture('signed.crt'), key: fixture('signed.key') },
} as const;

/** Certificate of the authority that signed `certificates.signed`. */
export const authority: string = fixture('ca.crt');

/** Fingerprint of `certificates.first`, as `openssl x509 -fingerprint -sha256` printed it. */
export const firstFingerprint =
  'E3:C3:A7:97:B7:F1:D8:2E:85:41:5A:64:3E:C9:C1:CF:5F:DA:7B:23:D3:E4:61:7F:49:A9:38:94:13:D8:DC:61';

/** SHA-256 of the public key of `certificates.first`, as `openssl dgst -sha256` printed it for its SPKI. */
export const firstPublicKeyHash = '4f9ea90c38e31b2745e65978bc74963cb4962c2938c2b8079d2b08e74f1aa9a9';

/** The right password of every gateway here. */
export const password: Secret = Secret.fromText('correct-horse-1');

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Without the base path. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

/** An answer; a string body is sent as it is. */
export interface PlannedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Options of {@link startGateway}. */
export interface GatewayOptions {
  readonly family?: GatewayFamily;
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Answers in the gateway's place; `undefined` leaves it to the gateway, `hang` never answers, `cut` breaks the connection. */
  readonly answer?: (request: SeenRequest, index: number) => PlannedAnswer | 'hang' | 'cut' | undefined;
  readonly passwordChangedAt?: string | null;
  readonly endorsementKey?: string;
}

/** A running gateway. */
export interface Gateway extends AsyncDisposable {
  readonly port: number;
  readonly fingerprint: string;
  readonly requests: readonly SeenRequest[];
  /** `METHOD /path` of every request. */
  readonly lines: readonly string[];
  /** How many TCP connections there were. */
  readonly connections: number;
  /** How many sessions are open. */
  readonly sessions: number;
  /** How many TCP connections are open. */
  readonly open: number;
  /** Lets every token expire. */
  expireTokens(): void;
}

/** Starts a gateway on a free port. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const { family = 'aig-301' } = options;
  const certificate = options.certificate ?? certificates.first;
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const tokens = new Map<string, number>();
  let connections = 0;
  let issued = 0;
  let rightPassword = password.revealText();
  const general: Record<string, unknown> = {
    serialNumber: 'TBBDB1179242',
    modelName: family === 'aig-301' ? 'AIG-301-T-US-AZU-LX' : 'AIG-302-T-EU-AZU-LX',
    hostName: 'moxa',
    [family === 'aig-301' ? 'thingsproVersion' : 'softwareVersion']: '2.5.0-4211',
    firmwareVersion: '1.2',
  };
  const switches: Record<string, boolean> = {
    '/system/discovery': true,
    '/system/provision': true,
    '/system/serialconsole': true,
  };
  let ssh = { enable: true, port: 22 };
  let time = '2026-01-02T03:04:05+08:00';
  let https: Record<string, unknown> = {
    httpsEnable: true,
    httpsPort: 8443,
    certFileName: 'default.crt',
    keyFileName: 'default.key',
  };
  let provisioning: Record<string, unknown> = {
    enable: false,
    source: 'manual',
    endorsementKey: options.endorsementKey ?? '',
  };
  let status = 'running';
  const services = [
    { id: 'opcuaserver', available: true, enable: true },
    { id: 'dhcpserver1', available: false, enable: false },
    { id: 'httpsservice', available: true, enable: true },
  ];
  const edge = (): unknown => ({ data: { iotedge: { version: '1.4', status }, provisioning } });
  const refuse = (code: number, message: string): PlannedAnswer => ({
    status: code,
    body: { error: family === 'aig-301' ? message : { code, message } },
  });
  const discovery = family === 'aig-301' ? '/system/discovery' : '/system/provision';

  const serve = (request: SeenRequest): PlannedAnswer => {
    const { method, path, text, headers } = request;
    const line = `${method} ${path}`;
    const isJson = headers['content-type'] === 'application/json';
    const body = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
    if (line === 'POST /auth') {
      if (body['password'] !== rightPassword)
        return refuse(401, 'The account or password you entered is not correct.');
      issued += 1;
      tokens.set(`token-${issued}`, issued);
      const changedAt = options.passwordChangedAt ?? null;
      const name = family === 'aig-301' ? 'changedPasswordAt' : 'passwordChangedAt';
      return {
        status: 200,
        body: { data: { token: `token-${issued}`, user: { id: 1, name: body['name'], [name]: changedAt } } },
      };
    }
    const token = /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';
    if (!tokens.has(token)) return refuse(401, 'authentication required');
    const ok = (data: unknown): PlannedAnswer => ({ status: 200, body: { data } });
    if (path === '/auth') return ok('ok');
    if (path === '/device/general') {
      if (method === 'PATCH') Object.assign(general, body);
      return ok(general);
    }
    if (path === '/device/ethernets')
      return ok([{ id: 1, enable: true, ip: '192.168.3.127', mac: '00:90:e8:00:00:01' }]);
    if (path === '/device/time') {
      if (method === 'PATCH') time = String(body['time']);
      return ok({ time });
    }
    if (path === discovery || path === '/system/serialconsole') {
      if (method === 'PUT') switches[path] = body['enable'] === true;
      return ok({ enable: switches[path] });
    }
    if (path === '/system/sshserver') {
      if (method !== 'GET') ssh = { ...ssh, ...body };
      return ok(
        family === 'aig-301' && method === 'GET' ? { sshEnable: ssh.enable, sshPort: ssh.port } : ssh,
      );
    }
    if (path === '/system/httpserver') {
      if (method !== 'GET') {
        if (isJson) https = { ...https, ...body };
        const { cert, key } = isJson ? body : readForm(text);
        if (typeof cert === 'string') server.setSecureContext({ cert, key: String(key) });
      }
      return ok(https);
    }
    if (path === '/system/services' && family === 'aig-301')
      return ok({
        protocol: services.slice(0, 1),
        network: services.slice(1, 2),
        service: services.slice(2),
      });
    const service = /^\/system\/services\/(\w+)\/(enable|disable)$/.exec(path);
    if (service !== null && family === 'aig-301') {
      const found = services.find(({ id }) => id === service[1]);
      if (found === undefined) return refuse(404, 'no such service');
      found.enable = service[2] === 'enable';
      return ok({ enable: found.enable });
    }
    if (path === '/users/me/password') {
      if (body['oldPassword'] !== rightPassword) return refuse(401, 'current password is not correct');
      rightPassword = String(body['newPassword']);
      return ok({ id: 1 });
    }
    if (line === 'GET /azure-iotedge') return { status: 200, body: edge() };
    if (line === 'PATCH /azure-iotedge') {
      provisioning = { ...provisioning, ...(body['provisioning'] as object) };
      return { status: 200, body: edge() };
    }
    if (line === 'PUT /azure-iotedge/restart') return { status: 200, body: edge() };
    if (line === 'PUT /azure-iotedge/reset') {
      status = 'resetting';
      return { status: 202, body: edge() };
    }
    if (path === '/sessions' && family === 'aig-302') {
      return ok(
        [...tokens].map(([each, id]) => ({ id, userId: 1, ...(each === token ? { isCurrent: true } : {}) })),
      );
    }
    const session = /^\/sessions\/(\d+)$/.exec(path);
    if (session !== null && family === 'aig-302') {
      const [own] = [...tokens].find(([, id]) => id === Number(session[1])) ?? [];
      return own !== undefined && tokens.delete(own) ? { status: 204 } : refuse(404, 'session not found');
    }
    return refuse(404, 'not found');
  };

  const server = createServer({ cert: certificate.cert, key: certificate.key }, (message, response) => {
    void readAll(message).then((text) => {
      const path = (message.url ?? '').replace(/^\/api\/v1/, '');
      const request = {
        method: message.method ?? '',
        path,
        headers: message.headers as SeenRequest['headers'],
        text,
      };
      requests.push(request);
      const answer = options.answer?.(request, requests.length - 1) ?? serve(request);
      if (answer === 'hang') return;
      if (answer === 'cut') {
        message.socket.destroy();
        return;
      }
      const isText = typeof answer.body === 'string';
      response.writeHead(answer.status, {
        ...(answer.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
        ...answer.headers,
      });
      response.end(isText ? answer.body : answer.body === undefined ? '' : JSON.stringify(answer.body));
    });
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    fingerprint: fingerprintOfPem(certificate.cert),
    requests,
    get lines() {
      return requests.map(({ method, path }) => `${method} ${path}`);
    },
    get connections() {
      return connections;
    },
    get sessions() {
      return tokens.size;
    },
    get open() {
      return sockets.size;
    },
    expireTokens: () => tokens.clear(),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Options of a client that trusts the gateway by its pin. */
export function trusting(gateway: Gateway, pinName = 'gateway'): GatewayClientOptions {
  const pins = createMemoryPins({ [pinName]: gateway.fingerprint });
  return { host: '127.0.0.1', port: gateway.port, pinName, trust: { mode: 'strict', pins } };
}

/** Signs in with the right password. */
export function signIn(
  gateway: Gateway,
  options: Partial<GatewayClientOptions> = {},
): Promise<GatewaySession> {
  return createGatewayClient({ ...trusting(gateway), ...options }).signIn({ name: 'admin', password });
}

async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

/** The two files of a multipart form. */
function readForm(text: string): { readonly cert?: string; readonly key?: string } {
  const part = (name: string): string | undefined =>
    new RegExp(`name="${name}"[^]*?\r\n\r\n([^]*?)\r\n--`).exec(text)?.[1];
  const [cert, key] = [part('certFile'), part('keyFile')];
  return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}
