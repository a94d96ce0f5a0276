/** A device-to-cloud event as a carrier read it. */
export interface DeviceEvent {
  readonly body: Uint8Array;
  /** `content-type`, if any. */
  readonly contentType?: string | undefined;
  /** Application properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** A device-to-cloud message that a hub accepted. */
export interface TelemetryMessage {
  /** Host name of the hub, with its port. */
  readonly hub: string;
  readonly deviceId: string;
  readonly body: Uint8Array;
  readonly contentType?: string;
  /** Application properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** When it came in, in milliseconds since 1970 by the emulator's clock. */
  readonly enqueuedAt: number;
}

/** The last messages, bounded by number and by bytes; the oldest go first. */
export interface TelemetryLog {
  /** A copy of what is kept, oldest first. */
  readonly messages: readonly TelemetryMessage[];
  add(message: TelemetryMessage): void;
}

/** Keeps at most `maxMessages` messages and `maxBytes` bytes of bodies (default 16 MiB), but always the last one. */
export function createTelemetryLog(maxMessages: number, maxBytes = 16_777_216): TelemetryLog {
  let messages: TelemetryMessage[] = [];
  let bytes = 0;
  return {
    get messages() {
      return [...messages];
    },
    add: (message) => {
      messages.push(message);
      bytes += message.body.byteLength;
      let surplus = 0;
      while (messages.length - surplus > maxMessages || (bytes > maxBytes && messages.length - surplus > 1)) {
        bytes -= messages[surplus]?.body.byteLength ?? 0;
        surplus += 1;
      }
      if (surplus > 0) messages = messages.slice(surplus);
    },
  };
}
