import type { MessagingOptions, MessagingSettings } from '@endorse/transport-socket';
import {
  checkInteger,
  checkMessagingOptions,
  checkOptionNames,
  messagingOptionNames,
} from '@endorse/transport-socket';

/** Options of {@link createMqttTransport}. */
export interface MqttTransportOptions extends MessagingOptions {
  /** Goes over a WebSocket on port 443, for networks that let nothing else out; default false: TLS on port 8883. */
  readonly webSocket?: boolean | undefined;
  /** `ClientVersion` in the user name, and `User-Agent` of a WebSocket; default `endorse-transport-mqtt`. */
  readonly userAgent?: string | undefined;
  /** Time for each part of the MQTT handshake, CONNACK and SUBACK, in milliseconds; 1 to 600,000, default 30,000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /** Pause between two signs of life of an idle connection, in seconds; 1 to 1,767, default 60. */
  readonly keepAliveSeconds?: number | undefined;
  /** Receives `connection-opened`, `request-sent`, `reply-received`, `reply-ignored` and `request-failed` lines at level `debug`; default none. */
  readonly logger?: MessagingOptions['logger'];
}

/** Options, checked and completed. */
export interface MqttSettings extends MessagingSettings {
  readonly keepAliveSeconds: number;
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkOptions(options: MqttTransportOptions): MqttSettings {
  checkOptionNames(options, optionNames);
  return Object.freeze({
    ...checkMessagingOptions(options, 'endorse-transport-mqtt'),
    // The longest that the service honours.
    keepAliveSeconds: checkInteger('options.keepAliveSeconds', options.keepAliveSeconds ?? 60, 1, 1_767),
  });
}

const optionNames: ReadonlySet<string> = new Set<keyof MqttTransportOptions>([
  ...messagingOptionNames,
  'keepAliveSeconds',
]);
