import type { Clock, Logger } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { defaultApiVersion, validateApiVersion } from '@endorse/protocol';
import type { ConnectionOptions, ConnectionSettings } from '@endorse/transport-socket';
import {
  checkConnectionOptions,
  checkInteger,
  checkOptionNames,
  checkPrintable,
  checkTimeout,
  connectionOptionNames,
} from '@endorse/transport-socket';

/** Options of {@link createMqttTransport}. */
export interface MqttTransportOptions extends ConnectionOptions {
  /** Goes over a WebSocket on port 443, for networks that let nothing else out; default false: TLS on port 8883. */
  readonly webSocket?: boolean | undefined;
  /** `api-version` in the user name; default `2021-06-01`. */
  readonly apiVersion?: string | undefined;
  /** `ClientVersion` in the user name, and `User-Agent` of a WebSocket; default `endorse-transport-mqtt`. */
  readonly userAgent?: string | undefined;
  /** Time for name lookup, TCP, proxy, TLS and WebSocket together, in milliseconds; 1 to 600,000, default 20,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for each part of the MQTT handshake, CONNACK and SUBACK, in milliseconds; 1 to 600,000, default 30,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Time from a request to its answer, in milliseconds; 1 to 600,000, default 30,000. */
  readonly replyTimeoutMs?: number | undefined;
  /** Pause between two signs of life of an idle connection, in seconds; 1 to 1,767, default 60. */
  readonly keepAliveSeconds?: number | undefined;
  /** Only `now` is used, for durations in the log; default the system clock. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Receives `connection-opened`, `request-sent`, `reply-received`, `reply-ignored` and `request-failed` lines at level `debug`; default none. */
  readonly logger?: Logger | undefined;
}

/** Options, checked and completed. */
export interface MqttSettings extends ConnectionSettings {
  readonly webSocket: boolean;
  readonly apiVersion: string;
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly keepAliveSeconds: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkOptions(options: MqttTransportOptions): MqttSettings {
  checkOptionNames(options, optionNames);
  const { webSocket = false } = options;
  if (typeof webSocket !== 'boolean') {
    throw new InvalidArgumentError('options.webSocket', 'must be a boolean');
  }
  return Object.freeze({
    ...checkConnectionOptions(options),
    webSocket,
    apiVersion: validateApiVersion(options.apiVersion ?? defaultApiVersion, 'options.apiVersion'),
    userAgent: checkPrintable('options.userAgent', options.userAgent ?? 'endorse-transport-mqtt'),
    connectTimeoutMs: checkTimeout('options.connectTimeoutMs', options.connectTimeoutMs ?? 20_000),
    handshakeTimeoutMs: checkTimeout('options.handshakeTimeoutMs', options.handshakeTimeoutMs ?? 30_000),
    replyTimeoutMs: checkTimeout('options.replyTimeoutMs', options.replyTimeoutMs ?? 30_000),
    // The longest that the service honours.
    keepAliveSeconds: checkInteger('options.keepAliveSeconds', options.keepAliveSeconds ?? 60, 1, 1_767),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof MqttTransportOptions>([
  ...connectionOptionNames,
  'webSocket',
  'apiVersion',
  'userAgent',
  'connectTimeoutMs',
  'handshakeTimeoutMs',
  'replyTimeoutMs',
  'keepAliveSeconds',
  'clock',
  'logger',
]);
