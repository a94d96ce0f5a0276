/**
 * A minimal IoT hub: device identities with their keys, telemetry, twins and direct methods, without a carrier.
 *
 * It shares nothing with the provisioning side but the credential that was written here, so that a device
 * that gets in proves that it really has that.
 */
import type { Clock, JsonObject, JsonValue } from '@endorse/interface';
import type { EmulatorEventDetails } from '../core/events.ts';
import { splitHostResource } from '../core/token-check.ts';
import type { ConnectedDevice, DeviceConnection } from './device-connections.ts';
import { DeviceConnections } from './device-connections.ts';
import { describeDevice, haveSameCredentials } from './device-identity.ts';
import type { DeviceDescription } from './device-identity.ts';
import type { MethodInvocation, MethodOutcome } from './direct-methods.ts';
import { createDirectMethods } from './direct-methods.ts';
import type { HubAccess, HubCredential } from './hub-access.ts';
import { checkHubAccess } from './hub-access.ts';
import type { HubFault, HubRefusal } from './hub-fault.ts';
import { hubRefusals } from './hub-fault.ts';
import type { DeviceSession } from './device-session.ts';
import { createDeviceSession } from './device-session.ts';
import type { DeviceTwin, HubDevice, HubStore } from './hub-store.ts';
import type { DeviceEvent, TelemetryLog } from './telemetry.ts';
import type { TwinContent, TwinPart, TwinPatchOutcome } from './twin.ts';
import { createTwin, patchTwin } from './twin.ts';

/** A device-to-cloud event of a device that is not connected, as a carrier read it. */
export interface HubEventRequest extends HubCredential, DeviceEvent {}

/** A hub without a carrier. */
export interface IotHub {
  /** Name with port under which devices reach it; what `assignedHub` carries. */
  readonly hostName: string;
  /** True for a name, with or without a port, under which tokens may be for this hub. */
  isKnownAs(host: string): boolean;
  /**
   * Creates or replaces a device identity; what it was known by before is void from now on, and a connection
   * that was opened with that ends. A twin that is there stays, else an empty one is made; a device that is blocked stays so.
   */
  writeDevice(device: HubDevice): void;
  /** Keeps a device out, whatever it has, and ends its connection; or lets it in again. False when there is none. */
  blockDevice(deviceId: string, isBlocked: boolean): boolean;
  /** Removes a device and its twin, and ends its connection; false when there was none. */
  removeDevice(deviceId: string): boolean;
  /** Device ids with the SHA-256 fingerprint of each key and the thumbprints of certificates, for tests and displays. */
  listDevices(): readonly DeviceDescription[];
  /** How many devices there are. */
  countDevices(): number;
  /** The devices that are connected now. */
  listConnected(): readonly ConnectedDevice[];

  /** Takes in the event of a device that is not connected; undefined when it was accepted. */
  acceptEvent(request: HubEventRequest): HubFault | undefined;
  /** Lets a device in for as long as its connection and its token last. */
  connect(
    credential: HubCredential,
    connection: DeviceConnection,
  ): { readonly outcome: 'connected'; readonly session: DeviceSession } | HubRefusal;

  /** The twin of a device; undefined when the hub has no such device. */
  readTwin(deviceId: string): DeviceTwin | undefined;
  /** Puts a new twin, with versions from 1, in the place of the device's. A connected device is not told. */
  writeTwin(deviceId: string, content: TwinContent): TwinPatchOutcome;
  /** Changes a part of a device's twin, and tells the device of desired properties if it asked for that. */
  patchTwin(deviceId: string, part: Exclude<TwinPart, 'reported'>, patch: JsonObject): TwinPatchOutcome;
  /** Runs a method on a connected device. Never rejects. */
  invokeMethod(deviceId: string, invocation: MethodInvocation): Promise<MethodOutcome>;
  /** Ends every connection, as when everything that devices knew of the hub has changed; they may come again. */
  dropConnections(): void;
  /** Ends every connection and every method under way. */
  stop(): void;
}

/** What a hub works with. */
export interface HubParts {
  readonly hostName: string;
  /** Host names, without ports, that tokens may be for. */
  readonly acceptedHosts: readonly string[];
  readonly store: HubStore;
  readonly clock: Clock;
  readonly telemetry: TelemetryLog;
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Makes a hub on its store. */
export function createHub({ hostName, acceptedHosts, store, clock, telemetry, emit }: HubParts): IotHub {
  const hosts = new Set([
    splitHostResource(hostName).host,
    ...acceptedHosts.map((host) => host.toLowerCase()),
  ]);
  const connections = new DeviceConnections({
    clock,
    onChange: (change, { deviceId, connection: { carrier } }) => {
      if (change === 'disconnected') methods.abandon(deviceId);
      emit({ event: `device-${change}`, hub: hostName, deviceId, carrier });
    },
  });
  const methods = createDirectMethods(connections, clock);

  return {
    hostName,
    isKnownAs: (host) => hosts.has(splitHostResource(host).host),
    writeDevice: (device) => {
      const before = store.devices.get(device.deviceId);
      store.devices.set(
        device.deviceId,
        before?.isBlocked === true ? { ...device, isBlocked: true } : device,
      );
      if (store.twins.get(device.deviceId) === undefined) writeTwin(device.deviceId, {});
      if (before !== undefined && !haveSameCredentials(before, device)) {
        connections.end(device.deviceId, 'credential-replaced');
      }
    },
    blockDevice: (deviceId, isBlocked) => {
      const device = store.devices.get(deviceId);
      if (device === undefined) return false;
      store.devices.set(deviceId, { ...device, isBlocked });
      if (isBlocked) connections.end(deviceId, 'device-blocked');
      return true;
    },
    removeDevice: (deviceId) => {
      store.twins.delete(deviceId);
      const wasThere = store.devices.delete(deviceId);
      connections.end(deviceId, 'device-removed');
      return wasThere;
    },
    listDevices: () => [...store.devices.list()].map(describeDevice),
    countDevices: () => store.devices.count(),
    listConnected: () => connections.list(),
    acceptEvent: (request) => {
      const access = findAccess(request, 'send-event');
      if (access.outcome === 'refused') return access.fault;
      takeEvent(request.deviceId, request);
      return undefined;
    },
    connect: (credential, connection) => {
      const access = findAccess(credential, 'connect');
      if (access.outcome === 'refused') return access;
      const { deviceId } = credential;
      const hold = connections.add(deviceId, connection, access.expiresAt);
      const session = createDeviceSession(deviceId, hold, {
        takeEvent: (event) => takeEvent(deviceId, event),
        readTwin: () => store.twins.get(deviceId),
        patchReported: (patch) => changeTwin(deviceId, 'reported', patch),
        answerMethod: (requestId, answer) => methods.answer(deviceId, requestId, answer),
        checkToken: (token) => findAccess({ deviceId, token }, 'renew-token'),
      });
      return { outcome: 'connected', session };
    },
    readTwin: (deviceId) => store.twins.get(deviceId),
    writeTwin,
    patchTwin: (deviceId, part, patch) => {
      const outcome = changeTwin(deviceId, part, patch);
      if (outcome.outcome === 'patched' && part === 'desired') {
        const { version } = outcome.twin.desired;
        connections.find(deviceId, 'desired-properties')?.deliverDesired({ patch, version });
      }
      return outcome;
    },
    invokeMethod: async (deviceId, invocation) => {
      if (store.devices.get(deviceId) === undefined) return hubRefusals.deviceNotFound(deviceId);
      return methods.invoke(deviceId, invocation);
    },
    dropConnections: () => {
      for (const { deviceId } of connections.list()) connections.end(deviceId, 'credential-replaced');
    },
    stop: () => connections.stop(),
  };

  function findAccess(credential: HubCredential, operation: string): HubAccess | HubRefusal {
    const { deviceId } = credential;
    const access = checkHubAccess(credential, store.devices.get(deviceId), hosts, clock.now());
    if (access.outcome === 'refused') {
      const { code: message, ...rest } = access.fault;
      emit({ event: 'request-refused', operation, subject: deviceId, message, ...rest });
    }
    return access;
  }

  function takeEvent(deviceId: string, { body, contentType, properties = {} }: DeviceEvent): void {
    telemetry.add({
      hub: hostName,
      deviceId,
      body: Uint8Array.from(body),
      properties,
      ...(contentType === undefined ? {} : { contentType }),
      enqueuedAt: clock.now(),
    });
    emit({ event: 'telemetry-received', hub: hostName, deviceId, bodyBytes: body.byteLength });
  }

  function writeTwin(deviceId: string, content: TwinContent): TwinPatchOutcome {
    if (store.devices.get(deviceId) === undefined) return hubRefusals.deviceNotFound(deviceId);
    return keep(createTwin(deviceId, content, clock.now()));
  }

  function changeTwin(deviceId: string, part: TwinPart, patch: JsonValue): TwinPatchOutcome {
    const twin = store.twins.get(deviceId);
    if (twin === undefined) return hubRefusals.deviceNotFound(deviceId);
    const outcome = keep(patchTwin(twin, part, patch, clock.now()));
    if (outcome.outcome === 'patched') emit({ event: 'twin-patched', hub: hostName, deviceId, part });
    return outcome;
  }

  function keep(outcome: TwinPatchOutcome): TwinPatchOutcome {
    if (outcome.outcome === 'patched') store.twins.set(outcome.twin.deviceId, outcome.twin);
    return outcome;
  }
}
