/** What the owner of a hub does, for tests: the hub's outcomes as values and errors. */
import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { EmulatorError } from '../emulator-error.ts';
import type { ConnectedDevice } from './device-connections.ts';
import type { MethodAnswer, MethodInvocation } from './direct-methods.ts';
import type { IotHub } from './hub.ts';
import type { HubFault } from './hub-fault.ts';
import type { DeviceTwin } from './hub-store.ts';
import type { TwinPatchOutcome } from './twin.ts';

/** A hub as its owner sees it. Every method rejects with `ERR_EMULATOR_DEVICE_NOT_FOUND` for a device that was not assigned there. */
export interface HubOperator {
  /** Resolves to the device's twin as it is now. */
  readTwin(deviceId: string): Promise<DeviceTwin>;
  /**
   * Merges into the desired properties, null removes, and resolves to the new twin; a connected device that asked for
   * it is told. Rejects with `ERR_INVALID_ARGUMENT` for what the hub does not take.
   */
  patchDesired(deviceId: string, patch: JsonObject): Promise<DeviceTwin>;
  /** Merges into the tags, which devices do not see, and resolves to the new twin. Rejects with `ERR_INVALID_ARGUMENT`. */
  patchTags(deviceId: string, patch: JsonObject): Promise<DeviceTwin>;
  /**
   * Runs a direct method on a device and resolves to its answer, whatever status that has. Rejects with
   * `ERR_EMULATOR_DEVICE_OFFLINE` when the device does not take methods by the end of `connectTimeoutMs`,
   * `ERR_EMULATOR_METHOD_TIMEOUT` when it does not answer within `responseTimeoutMs`, and `ERR_INVALID_ARGUMENT`.
   */
  invokeMethod(deviceId: string, invocation: MethodInvocation): Promise<MethodAnswer>;
  /** Keeps a device out of the hub, whatever key it registers with, and ends its connection. Its enrollment is another matter. */
  blockDevice(deviceId: string): Promise<void>;
  /** Lets it in again. */
  unblockDevice(deviceId: string): Promise<void>;
  /** The devices that are connected now; HTTP has no connections in this sense. */
  readonly connectedDevices: readonly Pick<ConnectedDevice, 'deviceId' | 'connectedAt'>[];
}

/** Makes the owner's view of a hub. */
export function createHubOperator(hub: IotHub): HubOperator {
  return {
    readTwin: async (deviceId) => {
      const twin = hub.readTwin(deviceId);
      if (twin === undefined) throw notFound(`there is no device ${deviceId} on this hub`);
      return twin;
    },
    patchDesired: async (deviceId, patch) => twinOf(hub.patchTwin(deviceId, 'desired', patch)),
    patchTags: async (deviceId, patch) => twinOf(hub.patchTwin(deviceId, 'tags', patch)),
    invokeMethod: async (deviceId, invocation) => {
      const outcome = await hub.invokeMethod(deviceId, invocation);
      if (outcome.outcome === 'refused') throw toError('invocation', outcome.fault);
      return { status: outcome.status, payload: outcome.payload };
    },
    blockDevice: async (deviceId) => setBlocked(hub, deviceId, true),
    unblockDevice: async (deviceId) => setBlocked(hub, deviceId, false),
    get connectedDevices() {
      return hub.listConnected().map(({ deviceId, connectedAt }) => ({ deviceId, connectedAt }));
    },
  };
}

function setBlocked(hub: IotHub, deviceId: string, isBlocked: boolean): void {
  if (!hub.blockDevice(deviceId, isBlocked)) throw notFound(`there is no device ${deviceId} on this hub`);
}

function twinOf(outcome: TwinPatchOutcome): DeviceTwin {
  if (outcome.outcome === 'refused') throw toError('patch', outcome.fault);
  return outcome.twin;
}

function toError(argument: string, { code, reason }: HubFault): Error {
  switch (code) {
    case 'DeviceNotFound':
      return notFound(reason);
    case 'DeviceNotOnline':
      return new EmulatorError('ERR_EMULATOR_DEVICE_OFFLINE', reason, {
        remedy: 'Connect the device, or let connectTimeoutMs wait for it.',
      });
    case 'GatewayTimeout':
      return new EmulatorError('ERR_EMULATOR_METHOD_TIMEOUT', reason);
    default:
      return new InvalidArgumentError(argument, `is refused: ${reason}`);
  }
}

function notFound(reason: string): EmulatorError {
  return new EmulatorError('ERR_EMULATOR_DEVICE_NOT_FOUND', reason, {
    remedy: 'Let the device register first.',
  });
}
