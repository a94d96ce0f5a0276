/**
 * Reaches for a host the way a registration would, one layer after the other, and notes how far it came.
 *
 * The TLS handshake goes on when the certificate is not trusted, so that what answers can still be told and the clock
 * compared: nothing but a {@link Greeting} is sent, and nothing that is received is believed beyond that.
 */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Greeting } from './greeting.ts';
import type { EnvironmentProxy } from './proxy.ts';

/** Where and how to reach. */
export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** PEM to trust instead of the usual certificates. */
  readonly ca: string | undefined;
  readonly proxy: EnvironmentProxy | undefined;
  /** How long the whole probe may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborts the probe. */
  readonly signal: AbortSignal;
}

/** Layers, in the order they are reached. */
export type ProbeLayer = 'resolve' | 'connect' | 'proxy' | 'tls' | 'answer';

/** What a probe found. */
export interface HostProbe<Answer> {
  /** What the name resolves to; absent through a proxy, which resolves it itself. */
  readonly addresses?: readonly string[];
  readonly tls?: {
    readonly trusted: boolean;
    /** Why it is not, for example `SELF_SIGNED_CERT_IN_CHAIN`. */
    readonly problem?: string;
    readonly issuer: string;
    /** For example `TLSv1.3`. */
    readonly protocol: string;
    /** When the certificate stops being valid, as it says. */
    readonly validTo: string;
  };
  /** What the greeting was answered with. */
  readonly answer?: Answer;
  /** The layer that failed and why. */
  readonly failure?: { readonly layer: ProbeLayer; readonly error: Error };
  /** How long all of it took, in milliseconds. */
  readonly elapsedMs: number;
}

/** Probes a host. Rejects only with the signal's reason; every other failure, the time limit included, is part of the result. */
export async function probeHost<Answer>(
  options: ProbeTarget,
  greeting: Greeting<Answer>,
): Promise<HostProbe<Answer>> {
  const startedAt = performance.now();
  const limit = AbortSignal.timeout(options.timeoutMs);
  const target = { ...options, signal: AbortSignal.any([options.signal, limit]) };
  const found: { -readonly [Key in keyof HostProbe<Answer>]: HostProbe<Answer>[Key] } = { elapsedMs: 0 };
  let layer: ProbeLayer = 'resolve';
  let socket: Duplex | undefined;
  try {
    if (target.proxy === undefined) {
      found.addresses = await abortable(resolve(target.host), target.signal);
      layer = 'connect';
      socket = await openSocket(target.host, target.port, target.signal);
    } else {
      layer = 'proxy';
      socket = await openTunnel(target, target.proxy);
    }
    layer = 'tls';
    const secured = await secure(target, socket, greeting.alpnProtocols);
    socket = secured;
    found.tls = describeTls(secured);
    layer = 'answer';
    found.answer = await abortable(greeting.ask(secured, target), target.signal);
  } catch (error) {
    options.signal.throwIfAborted();
    const reason: unknown = limit.aborted ? limit.reason : error;
    found.failure = { layer, error: reason instanceof Error ? reason : new Error(String(reason)) };
  } finally {
    socket?.destroy();
  }
  found.elapsedMs = performance.now() - startedAt;
  return found;
}

async function resolve(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function openSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host, port, autoSelectFamily: true });
  return settle(socket, 'connect', () => socket, signal);
}

async function openTunnel(target: ProbeTarget, proxy: EnvironmentProxy): Promise<Duplex> {
  const authority = target.host.includes(':')
    ? `[${target.host}]:${target.port}`
    : `${target.host}:${target.port}`;
  const open = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = open({
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    signal: target.signal,
    headers: {
      host: authority,
      ...(proxy.authorization === undefined
        ? {}
        : { 'proxy-authorization': proxy.authorization.revealText() }),
    },
  });
  return new Promise((resolveTunnel, reject) => {
    request.once('error', reject);
    request.once('connect', (response: IncomingMessage, socket: Duplex) => {
      if (response.statusCode === 200) resolveTunnel(socket);
      else {
        socket.destroy();
        reject(
          new Error(
            `the proxy answered ${response.statusCode ?? 'nothing'} ${response.statusMessage ?? ''}`.trim(),
          ),
        );
      }
    });
    request.end();
  });
}

function secure(target: ProbeTarget, socket: Duplex, alpnProtocols: readonly string[]): Promise<TLSSocket> {
  const secured = connectTls({
    socket,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    host: target.host,
    ca: target.ca,
    minVersion: 'TLSv1.2',
    ...(alpnProtocols.length === 0 ? {} : { ALPNProtocols: [...alpnProtocols] }),
    rejectUnauthorized: false,
  });
  return settle(secured, 'secureConnect', () => secured, target.signal);
}

function describeTls(socket: TLSSocket): NonNullable<HostProbe<unknown>['tls']> {
  const certificate = socket.getPeerCertificate();
  const error: unknown = socket.authorizationError;
  // Older versions of Node give the bare code instead of an error.
  const code = error instanceof Error && 'code' in error ? error.code : error;
  const { CN: commonName, O: organisation } = certificate.issuer ?? {};
  return {
    trusted: socket.authorized,
    ...(socket.authorized ? {} : { problem: typeof code === 'string' ? code : 'unknown' }),
    issuer: [commonName, organisation].flat().filter(Boolean).join(', ') || 'unknown',
    protocol: socket.getProtocol() ?? 'unknown',
    validTo: certificate.valid_to ?? 'unknown',
  };
}

/** Resolves with `value()` on `event`, rejects on `error`, `close` or abort, and destroys the socket unless it resolved. */
function settle<Value>(
  socket: Socket | TLSSocket,
  event: 'connect' | 'secureConnect',
  value: () => Value,
  signal: AbortSignal,
): Promise<Value> {
  return new Promise((resolveValue, reject) => {
    const finish = (action: () => void): void => {
      socket.off(event, onDone);
      socket.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      action();
    };
    const fail = (error: unknown): void =>
      finish(() => {
        socket.destroy();
        reject(error);
      });
    const onDone = (): void => finish(() => resolveValue(value()));
    const onClose = (): void => fail(new Error('the connection was closed'));
    const onAbort = (): void => fail(signal.reason);
    socket.once(event, onDone);
    socket.once('close', onClose);
    // Stays: a later error of a socket that is being torn down must not be an uncaught one.
    socket.on('error', fail);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolveValue, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    void promise.then(resolveValue, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
