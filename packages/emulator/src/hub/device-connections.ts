/**
 * Who is connected to a hub. A device has one connection: a new one ends the one before, and a connection
 * ends when its token expires.
 */
import type { Clock, JsonObject, JsonValue } from '@endorse/interface';

/** What a connected device can ask to be sent. */
export type DeviceFeed = 'methods' | 'desired-properties';

/** Why a hub ends a connection. */
export type DisconnectReason =
  | 'taken-over'
  | 'credential-replaced'
  | 'device-removed'
  | 'device-blocked'
  | 'token-expired'
  | 'hub-stopped';

/** A method on its way to a device. */
export interface MethodCall {
  /** To be repeated in the answer. */
  readonly requestId: string;
  readonly methodName: string;
  readonly payload: JsonValue;
}

/** A change of desired properties on its way to a device. */
export interface DesiredUpdate {
  readonly patch: JsonObject;
  /** The version of the desired properties that the patch made. */
  readonly version: number;
}

/** What a carrier does for the hub on one device's connection; no call may throw. */
export interface DeviceConnection {
  /** `mqtt`, `amqp-ws`, … */
  readonly carrier: string;
  /** Called after the device asked for `methods`. */
  deliverMethod(call: MethodCall): void;
  /** Called after the device asked for `desired-properties`. */
  deliverDesired(update: DesiredUpdate): void;
  /** Ends the connection; the hub has forgotten it already. */
  disconnect(reason: DisconnectReason): void;
}

/** One connected device. */
export interface ConnectedDevice {
  readonly deviceId: string;
  readonly connection: DeviceConnection;
  readonly feeds: ReadonlySet<DeviceFeed>;
  /** In milliseconds since 1970 by the hub's clock. */
  readonly connectedAt: number;
}

/** What {@link DeviceConnections} works with. */
export interface DeviceConnectionsParts {
  readonly clock: Clock;
  /** Called once for every connection that came and for every one that is gone. */
  readonly onChange: (change: 'connected' | 'disconnected', device: ConnectedDevice) => void;
}

interface Entry extends ConnectedDevice {
  readonly feeds: Set<DeviceFeed>;
  expiry: AbortController;
}

/** A hold on one connection; of no effect once that is gone. */
export interface ConnectionHold {
  /** True until the device, the hub or a newer connection has ended it. */
  readonly isOpen: boolean;
  setFeed(feed: DeviceFeed, wanted: boolean): void;
  /** The connection ends at `expiresAt`, in milliseconds since 1970; never, when undefined. */
  setExpiry(expiresAt: number | undefined): void;
  /** The carrier has lost or closed it. */
  release(): void;
}

/** The connections of one hub. */
export class DeviceConnections {
  readonly #parts: DeviceConnectionsParts;
  readonly #entries: Map<string, Entry> = new Map();
  readonly #waiters: Set<() => void> = new Set();
  #stopped = false;

  constructor(parts: DeviceConnectionsParts) {
    this.#parts = parts;
  }

  /** Every connected device, the one that came first first. */
  list(): readonly ConnectedDevice[] {
    return [...this.#entries.values()];
  }

  /** The connection of a device that asked for a feed, if there is one. */
  find(deviceId: string, feed: DeviceFeed): DeviceConnection | undefined {
    const entry = this.#entries.get(deviceId);
    return entry?.feeds.has(feed) === true ? entry.connection : undefined;
  }

  /** The same, waiting for it up to `timeoutMs`; undefined when it did not come. */
  async waitFor(
    deviceId: string,
    feed: DeviceFeed,
    timeoutMs: number,
  ): Promise<DeviceConnection | undefined> {
    const now = this.find(deviceId, feed);
    if (now !== undefined || timeoutMs === 0) return now;
    const waiting = new AbortController();
    const onChange = (): void => {
      if (this.#stopped || this.find(deviceId, feed) !== undefined) waiting.abort();
    };
    onChange();
    this.#waiters.add(onChange);
    try {
      await this.#parts.clock.sleep(timeoutMs, waiting.signal);
    } catch {
      // Woken by the device, or by the end of the hub.
    } finally {
      this.#waiters.delete(onChange);
    }
    return this.find(deviceId, feed);
  }

  /** Takes a connection in, in the place of the device's former one. */
  add(deviceId: string, connection: DeviceConnection, expiresAt: number | undefined): ConnectionHold {
    const entry: Entry = {
      deviceId,
      connection,
      feeds: new Set(),
      connectedAt: this.#parts.clock.now(),
      expiry: new AbortController(),
    };
    this.end(deviceId, 'taken-over');
    this.#entries.set(deviceId, entry);
    this.#expire(entry, expiresAt);
    this.#parts.onChange('connected', entry);
    if (this.#stopped) this.end(deviceId, 'hub-stopped');
    const isOpen = (): boolean => this.#entries.get(deviceId) === entry;
    return {
      get isOpen() {
        return isOpen();
      },
      setFeed: (feed, wanted) => {
        if (!isOpen()) return;
        if (wanted) entry.feeds.add(feed);
        else entry.feeds.delete(feed);
        this.#wake();
      },
      setExpiry: (at) => {
        if (isOpen()) this.#expire(entry, at);
      },
      release: () => void this.#remove(entry),
    };
  }

  /** Ends the connection of a device, if it has one. */
  end(deviceId: string, reason: DisconnectReason): void {
    const entry = this.#entries.get(deviceId);
    if (entry !== undefined && this.#remove(entry)) entry.connection.disconnect(reason);
  }

  /** Ends every connection, now and from now on. */
  stop(): void {
    this.#stopped = true;
    for (const { deviceId } of this.list()) this.end(deviceId, 'hub-stopped');
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
  }

  #remove(entry: Entry): boolean {
    if (this.#entries.get(entry.deviceId) !== entry) return false;
    this.#entries.delete(entry.deviceId);
    entry.expiry.abort();
    this.#parts.onChange('disconnected', entry);
    return true;
  }

  #expire(entry: Entry, expiresAt: number | undefined): void {
    entry.expiry.abort();
    entry.expiry = new AbortController();
    if (expiresAt !== undefined) void this.#endAt(entry, expiresAt, entry.expiry.signal);
  }

  async #endAt(entry: Entry, expiresAt: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    try {
      // A timer holds no more than some weeks, and a clock may be set back.
      for (let leftMs = 1; leftMs > 0; leftMs = expiresAt - clock.now()) {
        await clock.sleep(Math.max(0, expiresAt - clock.now()), signal);
      }
    } catch {
      return;
    }
    if (this.#remove(entry)) entry.connection.disconnect('token-expired');
  }
}
