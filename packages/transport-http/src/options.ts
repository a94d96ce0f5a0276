import type { ClientCertificate, Clock, Logger } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { defaultApiVersion, maxResponseBytes, validateApiVersion } from '@endorse/protocol';
import type { ConnectionOptions, ConnectionSettings } from '@endorse/transport-socket';
import {
  checkConnectionOptions,
  checkInteger,
  checkOptionNames,
  checkPrintable,
  checkTimeout,
  connectionOptionNames,
} from '@endorse/transport-socket';
import type { HttpDispatcher, OwnedHttpDispatcher } from './dispatcher.ts';

/** Makes the dispatcher of one session, which owns it; `certificate` is the one to show in the TLS handshake. */
export type HttpDispatcherFactory = (session: {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Present for X.509 only. */
  readonly certificate: ClientCertificate | undefined;
}) => OwnedHttpDispatcher;

/** Options of {@link createHttpTransport}. */
export interface HttpTransportOptions extends ConnectionOptions {
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
export interface HttpSettings extends ConnectionSettings {
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
  checkOptionNames(options, optionNames);
  return Object.freeze({
    ...checkConnectionOptions(options),
    dispatcher: checkDispatcher(options),
    apiVersion: validateApiVersion(options.apiVersion ?? defaultApiVersion, 'options.apiVersion'),
    userAgent: checkPrintable('options.userAgent', options.userAgent ?? 'endorse-transport-http'),
    maxBodyBytes: checkInteger(
      'options.maxBodyBytes',
      options.maxBodyBytes ?? maxResponseBytes,
      1,
      maxResponseBytes,
    ),
    maxHeaderBytes: checkInteger('options.maxHeaderBytes', options.maxHeaderBytes ?? 16_384, 1024, 1_048_576),
    connectTimeoutMs: checkTimeout('options.connectTimeoutMs', options.connectTimeoutMs ?? 20_000),
    headersTimeoutMs: checkTimeout('options.headersTimeoutMs', options.headersTimeoutMs ?? 30_000),
    bodyTimeoutMs: checkTimeout('options.bodyTimeoutMs', options.bodyTimeoutMs ?? 30_000),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof HttpTransportOptions>([
  ...connectionOptionNames,
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

function checkDispatcher(options: HttpTransportOptions): HttpSettings['dispatcher'] {
  const { dispatcher } = options;
  if (dispatcher === undefined) return undefined;
  const excluded = ([...connectionOptionNames, 'maxHeaderBytes'] as const).find(
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
