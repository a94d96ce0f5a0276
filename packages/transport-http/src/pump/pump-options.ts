import type { ConnectionOptions } from '@endorse/transport-socket';
import {
  checkConnectionOptions,
  checkInteger,
  checkOptionNames,
  checkPrintable,
  checkTimeout,
  connectionOptionNames,
} from '@endorse/transport-socket';
import type { ExchangeLimits } from '../exchange.ts';

/** Options of {@link createHttpPump}. The provisioning client's own time-outs are shorter than those here. */
export interface HttpPumpOptions extends ConnectionOptions {
  /** `User-Agent` of requests that bring none; default `endorse-transport-http`. */
  readonly userAgent?: string | undefined;
  /** Largest answer body, in bytes; 1 to 1,048,576, default 65,536. */
  readonly maxBodyBytes?: number | undefined;
  /** Largest answer header, in bytes; 1,024 to 1,048,576, default 16,384. */
  readonly maxHeaderBytes?: number | undefined;
  /** Time for name lookup, TCP, proxy and TLS together, in milliseconds; 1 to 600,000, default 300,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time from the request to the last answer header, in milliseconds; 1 to 600,000, default 300,000. */
  readonly headersTimeoutMs?: number | undefined;
  /** Time for the whole answer body, in milliseconds; 1 to 600,000, default 300,000. */
  readonly bodyTimeoutMs?: number | undefined;
}

/** Options, checked and completed, but for those of the connection: a client may bring its own. */
export interface HttpPumpSettings extends ExchangeLimits {
  readonly connection: ConnectionOptions;
  readonly userAgent: string;
  readonly maxHeaderBytes: number;
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkPumpOptions(options: HttpPumpOptions): HttpPumpSettings {
  checkOptionNames(options, optionNames);
  checkConnectionOptions(options);
  const { ca, proxyUrl, proxyCa, proxyFromEnvironment } = options;
  return Object.freeze({
    connection: { ca, proxyUrl, proxyCa, proxyFromEnvironment },
    userAgent: checkPrintable('options.userAgent', options.userAgent ?? 'endorse-transport-http'),
    maxBodyBytes: checkInteger('options.maxBodyBytes', options.maxBodyBytes ?? 65_536, 1, 1_048_576),
    maxHeaderBytes: checkInteger('options.maxHeaderBytes', options.maxHeaderBytes ?? 16_384, 1024, 1_048_576),
    connectTimeoutMs: checkTimeout('options.connectTimeoutMs', options.connectTimeoutMs ?? 300_000),
    headersTimeoutMs: checkTimeout('options.headersTimeoutMs', options.headersTimeoutMs ?? 300_000),
    bodyTimeoutMs: checkTimeout('options.bodyTimeoutMs', options.bodyTimeoutMs ?? 300_000),
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof HttpPumpOptions>([
  ...connectionOptionNames,
  'userAgent',
  'maxBodyBytes',
  'maxHeaderBytes',
  'connectTimeoutMs',
  'headersTimeoutMs',
  'bodyTimeoutMs',
]);
