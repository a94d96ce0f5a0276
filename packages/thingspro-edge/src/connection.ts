import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { FormData } from 'undici';
import type { Secret } from '@endorse/interface';
import { cutShort } from './cut-short.ts';
import { openSocket } from './open-socket.ts';
import { exchangeError } from './transport-errors.ts';
import type { GatewayTrust } from './trust.ts';
import { requireTrusted } from './trust.ts';

/** One request to a gateway. */
export interface GatewayRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the base path, `/auth`. */
  readonly path: string;
  /** JSON value, or a form. May hold secrets: never logged. */
  readonly body?: Readonly<Record<string, unknown>> | FormData;
  /** The secrets in the body, so that an answer that repeats them is not quoted with them. */
  readonly secrets?: readonly Secret[];
}

/** An answer, read to its end. */
export interface GatewayAnswer {
  readonly status: number;
  /** Media type in lower case, without parameters; empty when the answer has none. */
  readonly mediaType: string;
  readonly text: string;
}

/** What a connection is made from. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  /** `/api/v1`. */
  readonly basePath: string;
  readonly trust: GatewayTrust;
  readonly pinName: string;
  readonly announcedFingerprint: string | undefined;
  readonly requestTimeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly userAgent: string;
}

/** The one connection to a gateway: opened at a request, kept alive between requests, opened again after a loss. */
export interface GatewayConnection {
  /** SHA-256 of the certificate that was accepted last; undefined before the first request. */
  readonly fingerprint: string | undefined;
  /** Sends one request, bounded by the request time-out; the caller makes them one at a time. */
  send(attempted: string, request: GatewayRequest, options: SendOptions): Promise<GatewayAnswer>;
  /** Opens the next connection to another port. */
  moveTo(port: number): void;
  /** Takes down what there is, at once; the next request starts afresh. */
  drop(): void;
}

/** What goes with a request. */
export interface SendOptions {
  readonly token: Secret | undefined;
  readonly signals: readonly AbortSignal[];
}

/** An idle connection is given up after this time when the gateway does not say otherwise. */
const keepAliveTimeoutMs = 4_000;

const maxHeaderBytes = 16_384;

/** Prepares a connection; nothing is opened yet. */
export function createConnection(settings: ConnectionSettings): GatewayConnection {
  const { host, basePath, trust, pinName, announcedFingerprint, requestTimeoutMs, userAgent } = settings;
  const sockets = new Set<Socket>();
  let port = settings.port;
  let client: Client | undefined;
  let fingerprint: string | undefined;

  const open = async (): Promise<Socket> => {
    const address = formatAddress(host, port);
    const opened = await openSocket({ host, port, address, trust }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    try {
      const shown = {
        pinName,
        address,
        fingerprint: opened.fingerprint,
        publicKeyHash: opened.publicKeyHash,
        announcedFingerprint,
      };
      await requireTrusted(trust, shown);
    } catch (error) {
      opened.socket.destroy();
      throw error;
    }
    fingerprint = opened.fingerprint;
    return opened.socket;
  };

  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
    client?.destroy().catch(() => undefined);
    client = undefined;
  };

  const currentClient = (): Client => {
    if (client !== undefined) return client;
    client = new Client(`https://${formatAddress(host.replace(/%.*$/, ''), port)}`, {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      maxResponseSize: settings.maxAnswerBytes,
      connect: (_options, callback) => {
        open().then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
    return client;
  };

  const exchange = async (
    attempted: string,
    request: GatewayRequest,
    token: Secret | undefined,
  ): Promise<GatewayAnswer> => {
    const isJson = request.body !== undefined && Object.getPrototypeOf(request.body) === Object.prototype;
    try {
      const { statusCode, headers, body } = await currentClient().request({
        method: request.method,
        path: `${basePath}${request.path}`,
        headers: {
          accept: 'application/json',
          'user-agent': userAgent,
          ...(isJson ? { 'content-type': 'application/json' } : {}),
          ...(token === undefined ? {} : { authorization: `Bearer ${token.revealText()}` }),
        },
        // The exchange as a whole is bounded.
        headersTimeout: 0,
        bodyTimeout: 0,
        body: isJson ? JSON.stringify(request.body) : ((request.body as FormData | undefined) ?? null),
      });
      const mediaType =
        String(headers['content-type'] ?? '')
          .split(';', 1)[0]
          ?.trim()
          .toLowerCase() ?? '';
      return { status: statusCode, mediaType, text: await body.text() };
    } catch (error) {
      throw exchangeError(attempted, formatAddress(host, port), error);
    }
  };

  return {
    get fingerprint() {
      return fingerprint;
    },
    send: (attempted, request, { token, signals }) =>
      cutShort(() => exchange(attempted, request, token), {
        timeoutMs: requestTimeoutMs,
        attempted,
        signals,
        onCut: drop,
      }),
    moveTo: (next) => {
      port = next;
      drop();
    },
    drop,
  };
}

/** `host:port`, IPv6 in brackets. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
