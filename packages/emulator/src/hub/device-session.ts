import type { JsonValue } from '@endorse/interface';
import type { ConnectionHold, DeviceFeed } from './device-connections.ts';
import type { MethodAnswer } from './direct-methods.ts';
import type { HubAccess } from './hub-access.ts';
import type { HubFault, HubRefusal } from './hub-fault.ts';
import type { DeviceTwin } from './hub-store.ts';
import type { DeviceEvent } from './telemetry.ts';
import type { TwinPatchOutcome } from './twin.ts';

/** What a connected device may do; for the carrier of its connection. Once the hub has ended the connection, only {@link close} is called. */
export interface DeviceSession {
  readonly deviceId: string;
  /** Takes in a device-to-cloud event. */
  sendEvent(event: DeviceEvent): void;
  /** The device's own twin. */
  readTwin(): DeviceTwin;
  /** Changes the device's reported properties. */
  patchReported(patch: JsonValue): TwinPatchOutcome;
  /** The device wants to be sent something, or no longer. */
  setFeed(feed: DeviceFeed, wanted: boolean): void;
  /** The device has run a method; false when nobody waits for that any more. */
  answerMethod(requestId: string, answer: MethodAnswer): boolean;
  /** Prolongs the connection by a new token; a fault leaves it as it is. */
  renewToken(token: string): HubFault | undefined;
  /** The connection is gone; harmless when repeated. */
  close(): void;
}

/** What a session reaches of its hub. */
export interface DeviceSessionParts {
  readonly takeEvent: (event: DeviceEvent) => void;
  readonly readTwin: () => DeviceTwin | undefined;
  readonly patchReported: (patch: JsonValue) => TwinPatchOutcome;
  readonly answerMethod: (requestId: string, answer: MethodAnswer) => boolean;
  readonly checkToken: (token: string) => HubAccess | HubRefusal;
}

/** Makes the session of a connection that the hub has let in. */
export function createDeviceSession(
  deviceId: string,
  hold: ConnectionHold,
  parts: DeviceSessionParts,
): DeviceSession {
  return {
    deviceId,
    sendEvent: parts.takeEvent,
    readTwin: () => {
      const twin = parts.readTwin();
      // A device is removed with its connection, so only a store that others write to gets here.
      if (twin === undefined) throw new Error(`the store lost the twin of ${deviceId}`);
      return twin;
    },
    patchReported: parts.patchReported,
    setFeed: (feed, wanted) => hold.setFeed(feed, wanted),
    answerMethod: parts.answerMethod,
    renewToken: (token) => {
      const access = parts.checkToken(token);
      if (access.outcome === 'refused') return access.fault;
      hold.setExpiry(access.expiresAt);
      return undefined;
    },
    close: () => hold.release(),
  };
}
