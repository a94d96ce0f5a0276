import type { Clock, Logger } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { defaultApiVersion, validateApiVersion } from '@endorse/protocol';
import type { ConnectionOptions, ConnectionSettings } from './connection-options.ts';
import { checkConnectionOptions, connectionOptionNames } from './connection-options.ts';
import { checkPrintable, checkTimeout } from './option-checks.ts';

/** What every transport takes that sends messages over one connection, on TLS or on a WebSocket. */
export interface MessagingOptions extends ConnectionOptions {
  /** Goes over a WebSocket on port 443, for networks that let nothing else out; default false: TLS on the port of the carrier. */
  readonly webSocket?: boolean | undefined;
  /** API version that the service is asked for; default `2021-06-01`. */
  readonly apiVersion?: string | undefined;
  /** What the service is told of the client, and `User-Agent` of a WebSocket; default the name of the transport. */
  readonly userAgent?: string | undefined;
  /** Time for name lookup, TCP, proxy, TLS and WebSocket together, in milliseconds; 1 to 600,000, default 20,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for each part of the handshake of the carrier, in milliseconds; 1 to 600,000, default 30,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Time from a request to its answer, in milliseconds; 1 to 600,000, default 30,000. */
  readonly replyTimeoutMs?: number | undefined;
  /** Only `now` is used; default the system clock. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Receives `connection-opened`, `request-sent`, `reply-received` and `request-failed` lines at level `debug`; default none. */
  readonly logger?: Logger | undefined;
}

/** The options, checked and completed. */
export type MessagingSettings = ConnectionSettings & {
  readonly [Name in Exclude<keyof MessagingOptions, keyof ConnectionOptions>]: NonNullable<
    MessagingOptions[Name]
  >;
};

/** Names of the options, for transports that refuse a misspelt one. */
export const messagingOptionNames: readonly (keyof MessagingOptions)[] = Object.freeze([
  ...connectionOptionNames,
  'webSocket',
  'apiVersion',
  'userAgent',
  'connectTimeoutMs',
  'handshakeTimeoutMs',
  'replyTimeoutMs',
  'clock',
  'logger',
]);

/**
 * Checks and completes the options; `userAgent` is the default of the transport. Throws `ERR_INVALID_ARGUMENT` or
 * `ERR_OUT_OF_RANGE` with the name of the option, `options.` in front.
 */
export function checkMessagingOptions(options: MessagingOptions, userAgent: string): MessagingSettings {
  const { webSocket = false } = options;
  if (typeof webSocket !== 'boolean') {
    throw new InvalidArgumentError('options.webSocket', 'must be a boolean');
  }
  return {
    ...checkConnectionOptions(options),
    webSocket,
    apiVersion: validateApiVersion(options.apiVersion ?? defaultApiVersion, 'options.apiVersion'),
    userAgent: checkPrintable('options.userAgent', options.userAgent ?? userAgent),
    connectTimeoutMs: checkTimeout('options.connectTimeoutMs', options.connectTimeoutMs ?? 20_000),
    handshakeTimeoutMs: checkTimeout('options.handshakeTimeoutMs', options.handshakeTimeoutMs ?? 30_000),
    replyTimeoutMs: checkTimeout('options.replyTimeoutMs', options.replyTimeoutMs ?? 30_000),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}
