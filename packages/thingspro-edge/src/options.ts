import { isIP } from 'node:net';
import type { Clock, Logger } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { formatAddress } from './connection.ts';
import { parseFingerprint } from './fingerprint.ts';
import { checkPinName } from './pins.ts';
import type { GatewayFamily } from './profile.ts';
import type { GatewayTrust } from './trust.ts';
import { checkTrust } from './trust.ts';

/** Options of {@link createGatewayClient}. */
export interface GatewayClientOptions {
  /** Name or IP address; IPv6 without brackets, link-local with its scope (`fe80::1%eth0`). */
  readonly host: string;
  /** Port of the REST API, 1 to 65535; default 8443. Take what the gateway announces where there is an announcement. */
  readonly port?: number | undefined;
  /** Path in front of every call; default `/api/v1`. */
  readonly basePath?: string | undefined;
  /** How its certificate comes to be trusted. Required: there is no way to go without. */
  readonly trust: GatewayTrust;
  /** Name under which its certificate is pinned; default `host:port`. The serial number follows a gateway to a new address. */
  readonly pinName?: string | undefined;
  /**
   * SHA-256 of the certificate, or of its public key (SPKI) as discovery announces it; a first use that has neither is
   * refused. Default: none.
   */
  readonly announcedFingerprint?: string | undefined;
  /** The family of the gateway; default: told from its answer to the sign-in. */
  readonly family?: GatewayFamily | undefined;
  /** Time for one request, connecting included, in milliseconds; 1 to 600,000, default 20,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Time for signing out, in milliseconds; 1 to 600,000, default 5,000. */
  readonly closeTimeoutMs?: number | undefined;
  /** Time for a gateway to come back after its port or certificate changed, in milliseconds; 1 to 600,000, default 60,000. */
  readonly returnTimeoutMs?: number | undefined;
  /** Largest answer body, in bytes; 1 to 16,777,216, default 1,048,576. */
  readonly maxAnswerBytes?: number | undefined;
  /** Waits between looks at a gateway that is coming back; default the system clock. */
  readonly clock?: Clock | undefined;
  /** Receives `request-answered`, `signed-in`, `signed-out` and `sign-out-failed`, none with a secret; default none. */
  readonly logger?: Logger | undefined;
}

/** Options, checked and completed. */
export interface GatewaySettingsOfClient {
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  readonly trust: GatewayTrust;
  readonly pinName: string;
  readonly announcedFingerprint: string | undefined;
  readonly family: GatewayFamily | undefined;
  readonly requestTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly returnTimeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkOptions(options: GatewayClientOptions): GatewaySettingsOfClient {
  if (options === null || typeof options !== 'object') {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const unknown = Object.keys(options).find((name) => !optionNames.has(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`options.${unknown}`, 'is not an option');
  const host = checkHost(options.host);
  const port = integer('options.port', options.port ?? 8443, 65_535);
  const { announcedFingerprint } = options;
  return Object.freeze({
    host,
    port,
    basePath: checkBasePath(options.basePath ?? '/api/v1'),
    trust: checkTrust(options.trust),
    pinName: checkPinName(options.pinName ?? formatAddress(host, port), 'options.pinName'),
    announcedFingerprint:
      announcedFingerprint === undefined
        ? undefined
        : parseFingerprint(announcedFingerprint, 'options.announcedFingerprint'),
    family: checkFamily(options.family),
    requestTimeoutMs: integer('options.requestTimeoutMs', options.requestTimeoutMs ?? 20_000, 600_000),
    closeTimeoutMs: integer('options.closeTimeoutMs', options.closeTimeoutMs ?? 5_000, 600_000),
    returnTimeoutMs: integer('options.returnTimeoutMs', options.returnTimeoutMs ?? 60_000, 600_000),
    maxAnswerBytes: integer('options.maxAnswerBytes', options.maxAnswerBytes ?? 1_048_576, 16_777_216),
    userAgent: 'endorse-thingspro-edge',
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof GatewayClientOptions>([
  'host',
  'port',
  'basePath',
  'trust',
  'pinName',
  'announcedFingerprint',
  'family',
  'requestTimeoutMs',
  'closeTimeoutMs',
  'returnTimeoutMs',
  'maxAnswerBytes',
  'clock',
  'logger',
]);

/** Checks the host of a gateway. Throws `ERR_INVALID_ARGUMENT`. */
export function checkHost(host: string): string {
  if (typeof host === 'string' && (isIP(host) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,252})$/i.test(host)))
    return host;
  throw new InvalidArgumentError(
    'options.host',
    'must be a host name or an IP address without port and brackets',
  );
}

function checkBasePath(basePath: string): string {
  if (typeof basePath === 'string' && /^(\/[\w.~-]+)*$/.test(basePath)) return basePath;
  throw new InvalidArgumentError('options.basePath', 'must begin with / and not end with it');
}

function checkFamily(family: GatewayFamily | undefined): GatewayFamily | undefined {
  switch (family) {
    case undefined:
    case 'aig-301':
    case 'aig-302':
      return family;
    default:
      throw new InvalidArgumentError('options.family', 'must be aig-301 or aig-302');
  }
}

/** Checks a whole number from 1 up. Throws `ERR_OUT_OF_RANGE`. */
export function integer(argument: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be an integer from 1 to ${most}`, 'ERR_OUT_OF_RANGE');
}
