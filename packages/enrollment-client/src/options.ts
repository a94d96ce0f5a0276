import type { Clock, Logger, Secret } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { ServiceConnection } from '@endorse/protocol';
import {
  defaultServiceApiVersion,
  formatHostPort,
  parseHostPort,
  parseServiceConnectionString,
  validateApiVersion,
} from '@endorse/protocol';
import type { ConnectionOptions, ConnectionSettings } from '@endorse/transport-socket';
import {
  checkConnectionOptions,
  checkInteger,
  checkOptionNames,
  checkPrintable,
  checkTimeout,
  connectionOptionNames,
} from '@endorse/transport-socket';

/** Options of {@link createEnrollmentClient}: a connection string, or its three parts. */
export interface EnrollmentClientOptions extends ConnectionOptions {
  /** `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…`, as the service shows it for a shared access policy. */
  readonly connectionString?: Secret | string | undefined;
  /** Host of the service API, with a port unless it is 443. */
  readonly hostName?: string | undefined;
  /** Name of the shared access policy, for example `provisioningserviceowner`. */
  readonly sharedAccessKeyName?: string | undefined;
  /** Key of that policy. */
  readonly sharedAccessKey?: Secret | undefined;
  /** `api-version` of the service API; default `2021-10-01`. */
  readonly apiVersion?: string | undefined;
  /** `User-Agent`; default `endorse-enrollment-client`. */
  readonly userAgent?: string | undefined;
  /** Time for one attempt of a request, connecting included, in milliseconds; 1 to 600,000, default 30,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long the token of one request is good for, in milliseconds; 10,000 to 3,600,000, default 300,000. */
  readonly tokenLifetimeMs?: number | undefined;
  /** How often a request is repeated that was throttled or, when it only reads, failed; 0 to 10, default 3. */
  readonly maxRetries?: number | undefined;
  /** Longest pause before a repetition, in milliseconds; a service that asks for more is not waited for. 0 to 600,000, default 60,000. */
  readonly maxRetryDelayMs?: number | undefined;
  /** Most connections at once; 1 to 64, default 4. */
  readonly maxConnections?: number | undefined;
  /** Time and pauses; default the system's. */
  readonly clock?: Clock | undefined;
  /** Receives `request-sent`, `reply-received`, `request-failed` and `request-delayed` lines; default none. */
  readonly logger?: Logger | undefined;
}

/** Options, checked and completed. */
export interface EnrollmentClientSettings extends ConnectionSettings {
  readonly connection: ServiceConnection;
  readonly apiVersion: string;
  readonly userAgent: string;
  readonly requestTimeoutMs: number;
  readonly tokenLifetimeMs: number;
  readonly maxRetries: number;
  readonly maxRetryDelayMs: number;
  readonly maxConnections: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`; no message holds a key. */
export function checkOptions(options: EnrollmentClientOptions): EnrollmentClientSettings {
  checkOptionNames(options, optionNames);
  return Object.freeze({
    ...checkConnectionOptions(options),
    connection: readConnection(options),
    apiVersion: validateApiVersion(options.apiVersion ?? defaultServiceApiVersion, 'options.apiVersion'),
    userAgent: checkPrintable('options.userAgent', options.userAgent ?? 'endorse-enrollment-client'),
    requestTimeoutMs: checkTimeout('options.requestTimeoutMs', options.requestTimeoutMs ?? 30_000),
    tokenLifetimeMs: checkInteger(
      'options.tokenLifetimeMs',
      options.tokenLifetimeMs ?? 300_000,
      10_000,
      3_600_000,
    ),
    maxRetries: checkInteger('options.maxRetries', options.maxRetries ?? 3, 0, 10),
    maxRetryDelayMs: checkInteger('options.maxRetryDelayMs', options.maxRetryDelayMs ?? 60_000, 0, 600_000),
    maxConnections: checkInteger('options.maxConnections', options.maxConnections ?? 4, 1, 64),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof EnrollmentClientOptions>([
  ...connectionOptionNames,
  'connectionString',
  'hostName',
  'sharedAccessKeyName',
  'sharedAccessKey',
  'apiVersion',
  'userAgent',
  'requestTimeoutMs',
  'tokenLifetimeMs',
  'maxRetries',
  'maxRetryDelayMs',
  'maxConnections',
  'clock',
  'logger',
]);

function readConnection(options: EnrollmentClientOptions): ServiceConnection {
  const { connectionString, hostName, sharedAccessKeyName, sharedAccessKey } = options;
  if (connectionString !== undefined) {
    const part = (['hostName', 'sharedAccessKeyName', 'sharedAccessKey'] as const).find(
      (name) => options[name] !== undefined,
    );
    if (part !== undefined) {
      throw new InvalidArgumentError(`options.${part}`, 'cannot be combined with connectionString');
    }
    return parseServiceConnectionString(
      secretText('options.connectionString', connectionString),
      'options.connectionString',
    );
  }
  if (hostName === undefined) {
    throw new InvalidArgumentError(
      'options.connectionString',
      'is missing; it or hostName, sharedAccessKeyName and sharedAccessKey are needed',
    );
  }
  if (typeof sharedAccessKeyName !== 'string' || !/^[^;=\s]+$/.test(sharedAccessKeyName)) {
    throw new InvalidArgumentError(
      'options.sharedAccessKeyName',
      'must be the name of a shared access policy',
    );
  }
  if (typeof sharedAccessKey?.reveal !== 'function') {
    throw new InvalidArgumentError('options.sharedAccessKey', 'must be a Secret');
  }
  const host = formatHostPort(parseHostPort(hostName, { argument: 'options.hostName' }), {
    defaultPort: 443,
  });
  return { hostName: host, sharedAccessKeyName, sharedAccessKey };
}

function secretText(argument: string, value: Secret | string): string {
  const text = typeof value === 'string' ? value : value?.revealText?.();
  if (typeof text === 'string') return text;
  throw new InvalidArgumentError(argument, 'must be a string or a Secret');
}
