import { X509Certificate } from 'node:crypto';
import type { Clock, Logger } from '@endorse/interface';
import { InvalidArgumentError, Secret, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { ServiceConnection } from '@endorse/protocol';
import {
  defaultServiceApiVersion,
  formatHostPort,
  parseHostPort,
  parseServiceConnectionString,
  validateApiVersion,
} from '@endorse/protocol';

/** Options of {@link createEnrollmentClient}: a connection string, or its three parts. */
export interface EnrollmentClientOptions {
  /** `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…`, as the service shows it for a shared access policy. */
  readonly connectionString?: Secret | string | undefined;
  /** Host of the service API, with a port unless it is 443. */
  readonly hostName?: string | undefined;
  /** Name of the shared access policy, for example `provisioningserviceowner`. */
  readonly sharedAccessKeyName?: string | undefined;
  /** Key of that policy. */
  readonly sharedAccessKey?: Secret | undefined;
  /** PEM certificates to trust instead of the ones Node.js trusts. */
  readonly ca?: string | readonly string[] | undefined;
  /** `http://` or `https://` address of a proxy to tunnel through, credentials included. Never printed. */
  readonly proxyUrl?: Secret | string | undefined;
  /** Takes the proxy from `https_proxy`, except for what `no_proxy` names; default false. */
  readonly proxyFromEnvironment?: boolean | undefined;
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
export interface EnrollmentClientSettings {
  readonly connection: ServiceConnection;
  /** `https://host[:port]`. */
  readonly origin: string;
  readonly ca: readonly string[] | undefined;
  readonly proxyUrl: Secret | undefined;
  readonly proxyFromEnvironment: boolean;
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
  if (options === null || typeof options !== 'object') {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  // A misspelt `ca` or `proxyUrl` must not silently mean "use the defaults".
  if (unknown !== undefined) throw new InvalidArgumentError(`options.${unknown}`, 'is not an option');
  const connection = readConnection(options);
  const { proxyFromEnvironment = false } = options;
  if (typeof proxyFromEnvironment !== 'boolean') {
    throw new InvalidArgumentError('options.proxyFromEnvironment', 'must be a boolean');
  }
  if (proxyFromEnvironment && options.proxyUrl !== undefined) {
    throw new InvalidArgumentError('options.proxyFromEnvironment', 'cannot be combined with proxyUrl');
  }
  return Object.freeze({
    connection,
    origin: `https://${connection.hostName}`,
    ca: certificates('options.ca', options.ca),
    proxyUrl: options.proxyUrl === undefined ? undefined : proxyAddress(options.proxyUrl),
    proxyFromEnvironment,
    apiVersion: validateApiVersion(options.apiVersion ?? defaultServiceApiVersion, 'options.apiVersion'),
    userAgent: headerText('options.userAgent', options.userAgent ?? 'endorse-enrollment-client'),
    requestTimeoutMs: integer('requestTimeoutMs', options.requestTimeoutMs ?? 30_000, 1, 600_000),
    tokenLifetimeMs: integer('tokenLifetimeMs', options.tokenLifetimeMs ?? 300_000, 10_000, 3_600_000),
    maxRetries: integer('maxRetries', options.maxRetries ?? 3, 0, 10),
    maxRetryDelayMs: integer('maxRetryDelayMs', options.maxRetryDelayMs ?? 60_000, 0, 600_000),
    maxConnections: integer('maxConnections', options.maxConnections ?? 4, 1, 64),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof EnrollmentClientOptions>([
  'connectionString',
  'hostName',
  'sharedAccessKeyName',
  'sharedAccessKey',
  'ca',
  'proxyUrl',
  'proxyFromEnvironment',
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

/** No message repeats the address, which may hold a password. */
function proxyAddress(value: Secret | string): Secret {
  const text = secretText('options.proxyUrl', value);
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (protocol === 'http:' || protocol === 'https:') return Secret.fromText(text);
  throw new InvalidArgumentError('options.proxyUrl', 'must be an http:// or https:// address');
}

/** Checks that every block of the given PEM text is a certificate, before a handshake can fail on it. */
function certificates(
  argument: string,
  value: string | readonly string[] | undefined,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const blocks = texts.flatMap((text) => (typeof text === 'string' ? (text.match(pemBlock) ?? []) : []));
  if (texts.length === 0 || blocks.length < texts.length || !blocks.every(isCertificate)) {
    throw new InvalidArgumentError(argument, 'must hold PEM certificates');
  }
  return Object.freeze(blocks);
}

const pemBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function isCertificate(block: string): boolean {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}

function headerText(argument: string, value: string): string {
  if (typeof value === 'string' && /^[\x20-\x7e]{1,256}$/.test(value)) return value;
  throw new InvalidArgumentError(argument, 'must have 1 to 256 printable ASCII characters');
}

function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(
    `options.${name}`,
    `must be an integer from ${least} to ${most}`,
    'ERR_OUT_OF_RANGE',
  );
}
