import { X509Certificate } from 'node:crypto';
import type { ClientCertificate, Clock, Logger, Secret } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { defaultApiVersion, maxResponseBytes, validateApiVersion } from '@endorse/protocol';
import type { HttpDispatcher, OwnedHttpDispatcher } from './dispatcher.ts';
import type { ProxyRule } from './proxy-settings.ts';
import { fixedProxy, noProxy, proxyFromEnvironment } from './proxy-settings.ts';

/** Makes the dispatcher of one session, which owns it; `certificate` is the one to show in the TLS handshake. */
export type HttpDispatcherFactory = (session: {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Present for X.509 only. */
  readonly certificate: ClientCertificate | undefined;
}) => OwnedHttpDispatcher;

/** Options of {@link createHttpTransport}. */
export interface HttpTransportOptions {
  /**
   * PEM certificates to trust instead of the ones Node.js trusts. Default: those of Node.js,
   * `NODE_EXTRA_CA_CERTS` included. `NODE_TLS_REJECT_UNAUTHORIZED` has no effect on this transport.
   */
  readonly ca?: string | readonly string[] | undefined;
  /**
   * `http://` or `https://` address of a proxy to tunnel through with CONNECT, credentials included
   * (`http://user:password@proxy.example:3128`). Never printed: only its host and port are.
   */
  readonly proxyUrl?: string | Secret | undefined;
  /** PEM certificates that an `https://` proxy is trusted by; default: the same as `ca`. */
  readonly proxyCa?: string | readonly string[] | undefined;
  /**
   * Takes the proxy from `https_proxy` or `HTTPS_PROXY`, except for hosts in `no_proxy` or `NO_PROXY`, as they are
   * when the transport is created. Default false: what runs as a service should not depend on who started it.
   */
  readonly proxyFromEnvironment?: boolean | undefined;
  /**
   * An undici dispatcher to send through, or a function that makes one for each session. A shared one is never
   * closed by the transport and cannot carry X.509. Excludes `ca`, the proxy options and `maxHeaderBytes`, which it
   * then decides itself.
   */
  readonly dispatcher?: HttpDispatcher | HttpDispatcherFactory | undefined;
  /** `api-version` of the device API; default `2021-06-01`. */
  readonly apiVersion?: string | undefined;
  /** `User-Agent`; default `endorse-transport-http`. */
  readonly userAgent?: string | undefined;
  /** Largest answer body, in bytes; 1 to 1,048,576, default 1,048,576. */
  readonly maxBodyBytes?: number | undefined;
  /** Largest answer header, in bytes; 1,024 to 1,048,576, default 16,384. */
  readonly maxHeaderBytes?: number | undefined;
  /** Time for name lookup, TCP, proxy and TLS together, in milliseconds; 1 to 600,000, default 20,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time from the request to the last answer header, in milliseconds; 1 to 600,000, default 30,000. */
  readonly headersTimeoutMs?: number | undefined;
  /** Time for the whole answer body, in milliseconds; 1 to 600,000, default 30,000. */
  readonly bodyTimeoutMs?: number | undefined;
  /** Only `now` is used, to read a `Retry-After` date; default the system clock. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Receives `request-sent`, `reply-received` and `request-failed` lines at level `debug`; default none. */
  readonly logger?: Logger | undefined;
}

/** Options, checked and completed. */
export interface HttpSettings {
  readonly ca: readonly string[] | undefined;
  readonly proxyCa: readonly string[] | undefined;
  readonly proxyFor: ProxyRule;
  readonly dispatcher: HttpDispatcher | HttpDispatcherFactory | undefined;
  readonly apiVersion: string;
  readonly userAgent: string;
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkOptions(options: HttpTransportOptions): HttpSettings {
  if (options === null || typeof options !== 'object') {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  // A misspelt `ca` or `proxyUrl` must not silently mean "use the defaults".
  if (unknown !== undefined) throw new InvalidArgumentError(`options.${unknown}`, 'is not an option');
  const ca = certificates('options.ca', options.ca);
  return Object.freeze({
    ca,
    proxyCa: certificates('options.proxyCa', options.proxyCa) ?? ca,
    proxyFor: proxyRule(options),
    dispatcher: checkDispatcher(options),
    apiVersion: validateApiVersion(options.apiVersion ?? defaultApiVersion, 'options.apiVersion'),
    userAgent: headerText('options.userAgent', options.userAgent ?? 'endorse-transport-http'),
    maxBodyBytes: integer(
      'options.maxBodyBytes',
      options.maxBodyBytes ?? maxResponseBytes,
      1,
      maxResponseBytes,
    ),
    maxHeaderBytes: integer('options.maxHeaderBytes', options.maxHeaderBytes ?? 16_384, 1024, 1_048_576),
    connectTimeoutMs: timeout('options.connectTimeoutMs', options.connectTimeoutMs ?? 20_000),
    headersTimeoutMs: timeout('options.headersTimeoutMs', options.headersTimeoutMs ?? 30_000),
    bodyTimeoutMs: timeout('options.bodyTimeoutMs', options.bodyTimeoutMs ?? 30_000),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof HttpTransportOptions>([
  'ca',
  'proxyUrl',
  'proxyCa',
  'proxyFromEnvironment',
  'dispatcher',
  'apiVersion',
  'userAgent',
  'maxBodyBytes',
  'maxHeaderBytes',
  'connectTimeoutMs',
  'headersTimeoutMs',
  'bodyTimeoutMs',
  'clock',
  'logger',
]);

function proxyRule(options: HttpTransportOptions): ProxyRule {
  const fromEnvironment = options.proxyFromEnvironment ?? false;
  if (typeof fromEnvironment !== 'boolean') {
    throw new InvalidArgumentError('options.proxyFromEnvironment', 'must be a boolean');
  }
  if (options.proxyUrl === undefined) return fromEnvironment ? proxyFromEnvironment(process.env) : noProxy;
  if (fromEnvironment) {
    throw new InvalidArgumentError('options.proxyFromEnvironment', 'cannot be combined with proxyUrl');
  }
  return fixedProxy('options.proxyUrl', options.proxyUrl);
}

function checkDispatcher(options: HttpTransportOptions): HttpSettings['dispatcher'] {
  const { dispatcher } = options;
  if (dispatcher === undefined) return undefined;
  const excluded = (['ca', 'proxyUrl', 'proxyCa', 'proxyFromEnvironment', 'maxHeaderBytes'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (excluded !== undefined) {
    throw new InvalidArgumentError('options.dispatcher', `cannot be combined with ${excluded}`);
  }
  if (typeof dispatcher !== 'function' && typeof dispatcher?.dispatch !== 'function') {
    throw new InvalidArgumentError(
      'options.dispatcher',
      'must be an undici Dispatcher or a function that makes one',
    );
  }
  return dispatcher;
}

/** Checks that every block of the given PEM text is a certificate, before a handshake can fail on it. */
function certificates(
  argument: string,
  value: string | readonly string[] | undefined,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const blocks = texts.flatMap((text) => (typeof text === 'string' ? (text.match(pemBlock) ?? []) : []));
  if (texts.length === 0 || blocks.length < texts.length) {
    throw new InvalidArgumentError(argument, 'must hold PEM certificates');
  }
  for (const block of blocks) {
    try {
      void new X509Certificate(block);
    } catch {
      throw new InvalidArgumentError(argument, 'holds a PEM block that is not a certificate');
    }
  }
  return Object.freeze(blocks);
}

const pemBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function headerText(argument: string, value: string): string {
  if (typeof value === 'string' && /^[\x20-\x7e]{1,256}$/.test(value)) return value;
  throw new InvalidArgumentError(argument, 'must have 1 to 256 printable ASCII characters');
}

function timeout(argument: string, value: number): number {
  return integer(argument, value, 1, 600_000);
}

function integer(argument: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be an integer from ${least} to ${most}`, 'ERR_OUT_OF_RANGE');
}
