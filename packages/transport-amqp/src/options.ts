import type { MessagingOptions, MessagingSettings } from '@endorse/transport-socket';
import { checkMessagingOptions, checkOptionNames, messagingOptionNames } from '@endorse/transport-socket';

/** Options of {@link createAmqpTransport}. */
export interface AmqpTransportOptions extends MessagingOptions {
  /** Goes over a WebSocket on port 443, for networks that let nothing else out; default false: TLS on port 5671. */
  readonly webSocket?: boolean | undefined;
  /** `com.microsoft:client-version` of the links, and `User-Agent` of a WebSocket; default `endorse-transport-amqp`. */
  readonly userAgent?: string | undefined;
  /**
   * Time for each part of the AMQP handshake, in milliseconds: up to the challenge of a TPM, and up to the links. 1 to
   * 600,000, default 30,000. What the TPM takes in between does not count.
   */
  readonly handshakeTimeoutMs?: number | undefined;
}

/** Options, checked and completed. */
export type AmqpSettings = MessagingSettings;

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkOptions(options: AmqpTransportOptions): AmqpSettings {
  checkOptionNames(options, optionNames);
  return Object.freeze(checkMessagingOptions(options, 'endorse-transport-amqp'));
}

const optionNames: ReadonlySet<string> = new Set(messagingOptionNames);
