/** What a service over MQTT is to the protocol below it: who may connect, and what becomes of messages. */

/** What a client says in CONNECT, and what TLS knows of it. */
export interface MqttConnectRequest {
  readonly clientId: string;
  readonly userName: string | undefined;
  readonly password: string | undefined;
  /** DER of the client's certificates, its own first; absent when it sent none. */
  readonly certificates?: readonly Uint8Array[];
}

/** Why a connection is refused; MQTT 3.1.1 section 3.2.2.3. */
export type ConnectReturnCode =
  /** The client identifier is not allowed. */
  | 2
  /** User name or password are malformed. */
  | 4
  /** Not authorized. */
  | 5;

/** A message, whichever way it goes. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** What a service does on one connection. */
export interface MqttLink {
  /** Sends a message to a client that subscribed to the filter it belongs to, else nothing. */
  publish(filter: string, message: MqttMessage): void;
  /** Closes the connection. */
  end(): void;
  /** Drops the connection at once, with whatever was not sent yet. */
  drop(): void;
}

/** One client that was let in. */
export interface MqttSession {
  /** Filters that may be subscribed to; nothing else is. */
  readonly filters: readonly string[];
  /** Takes a message in; false when the client may not publish that, which costs it the connection. */
  receive(message: MqttMessage): boolean;
  /** The client has subscribed to a filter, or no longer. */
  onSubscription?(filter: string, wanted: boolean): void;
  /** The connection is gone. */
  close(): void;
}

/** A service over MQTT; no call may throw. */
export interface MqttService {
  /** Lets a client in, or says why not. */
  connect(
    request: MqttConnectRequest,
    link: MqttLink,
  ):
    | { readonly outcome: 'accepted'; readonly session: MqttSession }
    | { readonly outcome: 'refused'; readonly returnCode: ConnectReturnCode };
  /** Bytes or packets that break the protocol, and cost the client its connection. */
  noteViolation(reason: string): void;
}
