import { createServer as createHttpServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { InvalidArgumentError } from '@endorse/interface';
import type { ServerCertificate } from './authority.ts';
import type { RegistrationHandler } from './handler.ts';
import { createNodeListener } from './node-adapter.ts';
import { RegistrarError } from './registrar-error.ts';

/** Options of {@link startRegistrar}. */
export interface RegistrarOptions {
  readonly handler: RegistrationHandler;
  /** Certificate and key; `issueServerCertificate` makes them. Absent only with `allowPlainHttp`. */
  readonly certificate?: ServerCertificate;
  /** Serves without TLS, on loopback addresses only. Dangerous: tokens and secrets go in the clear. Default false. */
  readonly allowPlainHttp?: boolean;
  /** Address to listen on; default `127.0.0.1`. */
  readonly bind?: string;
  /** Port, 0 to 65535; default 0, the system chooses. */
  readonly port?: number;
  /** Connections at once, 1 to 1,000,000; default 10,000. More are closed as they come. */
  readonly maxConnections?: number;
  /** How long requests may go on after `stop`, in milliseconds, 0 to 60,000; default 5,000. */
  readonly drainMs?: number;
}

/** A registrar that listens. */
export interface Registrar extends AsyncDisposable {
  /** Port it listens on. */
  readonly port: number;
  /** `https://…` or, on loopback, `http://…`, without a path. */
  readonly origin: string;
  /** Stops accepting, lets requests finish for `drainMs`, then drops what is left; harmless when repeated. */
  stop(): Promise<void>;
}

const limits = {
  /** Bytes of headers; a token has 8 KiB at most. */
  maxHeaderSize: 16_384,
  /** Milliseconds until the headers have to be there. */
  headersTimeout: 10_000,
  /** Milliseconds until the whole request has to be there. */
  requestTimeout: 20_000,
  /** Milliseconds a connection may be idle between two requests. */
  keepAliveTimeout: 15_000,
  /** How often the time-outs are looked at, in milliseconds. */
  connectionsCheckingInterval: 1_000,
};

const handshakeTimeoutMs = 10_000;
const defaultDrainMs = 5_000;

/**
 * Serves a handler over TLS 1.2 or newer; every wait for a client has a bound.
 * Rejects with `ERR_INVALID_ARGUMENT`, or with `ERR_REGISTRAR_LISTEN` for a port that cannot be had.
 */
export async function startRegistrar(options: RegistrarOptions): Promise<Registrar> {
  const {
    certificate,
    allowPlainHttp = false,
    bind = '127.0.0.1',
    port = 0,
    maxConnections = 10_000,
  } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('options.port', 'must be 0 to 65535', 'ERR_OUT_OF_RANGE');
  }
  const drainMs = options.drainMs ?? defaultDrainMs;
  if (!(drainMs >= 0 && drainMs <= 60_000)) {
    throw new InvalidArgumentError('options.drainMs', 'must be 0 to 60,000', 'ERR_OUT_OF_RANGE');
  }
  if (certificate === undefined && !allowPlainHttp) {
    throw new InvalidArgumentError(
      'options.certificate',
      'is needed, because tokens and secrets go over the wire',
    );
  }
  if (certificate === undefined && !isLoopbackAddress(bind)) {
    throw new InvalidArgumentError('options.bind', 'must be a loopback address, where there is no TLS');
  }
  const listener = createNodeListener(options.handler);
  const server =
    certificate === undefined
      ? createHttpServer(limits, listener)
      : createHttpsServer(
          {
            ...limits,
            cert: certificate.certificatePem,
            key: certificate.privateKeyPem,
            minVersion: 'TLSv1.2',
            handshakeTimeout: handshakeTimeoutMs,
          },
          listener,
        );
  server.maxConnections = maxConnections;
  await listen(server, bind, port);
  const address = server.address() as AddressInfo;
  const host = bind.includes(':') ? `[${bind}]` : bind === '127.0.0.1' ? 'localhost' : bind;
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= close(server, drainMs));
  return {
    port: address.port,
    origin: `${certificate === undefined ? 'http' : 'https'}://${host}:${address.port}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function isLoopbackAddress(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(
        new RegistrarError('ERR_REGISTRAR_LISTEN', `cannot listen on ${host}:${port}: ${cause.message}`, {
          cause,
          remedy: 'Choose another port, or stop the program that has it.',
        }),
      );
    };
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function close(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const dropRest = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(dropRest);
      resolve();
    });
    server.closeIdleConnections();
  });
}
