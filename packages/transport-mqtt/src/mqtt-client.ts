/**
 * What is used of mqtt.js's client, as a type of our own: its declarations want those of browsers, which neither this
 * package nor its users have.
 */
export interface MqttClient {
  /** Kept by the client as given. */
  readonly options: { password?: string | undefined };
  on(event: 'connect' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(
    event: 'message',
    listener: (topic: string, payload: Uint8Array, packet: { readonly retain: boolean }) => void,
  ): unknown;
  publish(topic: string, payload: string, options: { readonly qos: 1 }, callback: () => void): unknown;
  subscribe(filter: string, options: { readonly qos: 1 }, callback: (error: Error | null) => void): unknown;
  /** Says DISCONNECT and ends, or ends at once. */
  end(force: true): unknown;
  end(force: false, options: object, callback: () => void): unknown;
}

/** What the client is made with. */
export interface MqttClientOptions {
  readonly protocolVersion: 4;
  readonly clientId: string;
  readonly username: string;
  readonly password?: string;
  readonly clean: boolean;
  /** In seconds. */
  readonly keepalive: number;
  /** In milliseconds; 0 for never. */
  readonly reconnectPeriod: number;
  readonly resubscribe: boolean;
  readonly queueQoSZero: boolean;
  /** In milliseconds. */
  readonly connectTimeout: number;
  readonly timerVariant: 'native';
}
