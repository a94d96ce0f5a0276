/**
 * A minimal IoT hub: device identities with their keys, and the door for device-to-cloud events.
 *
 * It shares nothing with the provisioning side but the key that was written here, so that an event
 * that gets in proves that the device really loaded that key.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@endorse/interface';
import type { EmulatorEventDetails } from '../core/events.ts';
import { findTokenProblem, readToken, splitHostResource } from '../core/token-check.ts';
import type { TelemetryLog } from './telemetry.ts';

/** A device identity of a hub. */
export interface HubDevice {
  /** Case-sensitive. */
  readonly deviceId: string;
  /** Keys of which any may sign the device's tokens. */
  readonly keys: readonly Uint8Array[];
  /** SHA-256 over the DER of client certificates of which any identifies the device, in upper-case hexadecimal. */
  readonly thumbprints?: readonly string[];
}

/** A device-to-cloud event as a carrier read it. */
export interface HubEventRequest {
  readonly deviceId: string;
  /** The SAS token, as it came. */
  readonly token: string | undefined;
  /** DER of the certificate that the TLS client proved to be its own; asked only without a token. */
  readonly certificate?: Uint8Array | undefined;
  readonly body: Uint8Array;
  /** `content-type`, if any. */
  readonly contentType?: string | undefined;
  /** Application properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Why a hub refuses a request. */
export interface HubFault {
  /** HTTP status. */
  readonly status: number;
  /** The word of the hub's error, for example `IotHubUnauthorizedAccess`. */
  readonly code: string;
  /** The number of the hub's error, for example 401003. */
  readonly errorCode: number;
  /** Why, for the developer who runs the emulator. Never a secret. */
  readonly reason: string;
}

/** A hub without a carrier. */
export interface IotHub {
  /** Name with port under which devices reach it; what `assignedHub` carries. */
  readonly hostName: string;
  /** Creates or replaces a device identity; tokens under its former keys are void from now on. */
  writeDevice(device: HubDevice): void;
  /** Device ids with the SHA-256 fingerprint of each key and the thumbprints of certificates, for tests and displays. */
  listDevices(): readonly {
    readonly deviceId: string;
    readonly keyFingerprints: readonly string[];
    readonly thumbprints?: readonly string[];
  }[];
  /** Takes an event in; undefined when it was accepted. */
  acceptEvent(request: HubEventRequest): HubFault | undefined;
}

/** What a hub works with. */
export interface HubParts {
  readonly hostName: string;
  /** Host names, without ports, that tokens may be for. */
  readonly acceptedHosts: readonly string[];
  readonly clock: Pick<Clock, 'now'>;
  readonly telemetry: TelemetryLog;
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Makes a hub without devices. */
export function createHub({ hostName, acceptedHosts, clock, telemetry, emit }: HubParts): IotHub {
  const devices = new Map<string, HubDevice>();
  const hosts = new Set([
    splitHostResource(hostName).host,
    ...acceptedHosts.map((host) => host.toLowerCase()),
  ]);

  return {
    hostName,
    writeDevice: (device) => void devices.set(device.deviceId, device),
    listDevices: () =>
      [...devices.values()].map(({ deviceId, keys, thumbprints }) => ({
        deviceId,
        keyFingerprints: keys.map(fingerprint),
        ...(thumbprints === undefined ? {} : { thumbprints }),
      })),
    acceptEvent: (request) => {
      const { deviceId } = request;
      const problem = findAccessProblem(request);
      if (problem !== undefined) {
        const fault = { status: 401, code: 'IotHubUnauthorizedAccess', errorCode: 401_003, reason: problem };
        const { status, errorCode, code: message } = fault;
        emit({
          event: 'request-refused',
          operation: 'send-event',
          subject: deviceId,
          status,
          errorCode,
          message,
          reason: problem,
        });
        return fault;
      }
      const { body, contentType, properties = {} } = request;
      telemetry.add({
        hub: hostName,
        deviceId,
        body: Uint8Array.from(body),
        properties,
        ...(contentType === undefined ? {} : { contentType }),
        enqueuedAt: clock.now(),
      });
      emit({ event: 'telemetry-received', hub: hostName, deviceId, bodyBytes: body.byteLength });
      return undefined;
    },
  };

  function findAccessProblem(request: HubEventRequest): string | undefined {
    if ((request.token ?? '') === '' && request.certificate !== undefined) {
      const known = devices.get(request.deviceId)?.thumbprints ?? [];
      const thumbprint = createHash('sha256').update(request.certificate).digest('hex').toUpperCase();
      return known.includes(thumbprint) ? undefined : 'the client certificate is not that of the device';
    }
    const reading = readToken(request.token);
    if (!reading.ok) return reading.reason;
    const { host, path } = splitHostResource(reading.token.resource);
    if (!hosts.has(host)) return `the token is for another host than ${[...hosts].join(', ')}`;
    // The official Rust client lower-cases the resource, device id included.
    if (path.toLowerCase() !== `devices/${request.deviceId}`.toLowerCase()) {
      return 'the token is for another device';
    }
    const device = devices.get(request.deviceId);
    if (device === undefined) return `there is no device ${request.deviceId} on this hub`;
    return findTokenProblem(reading.token, { keys: device.keys, now: clock.now() });
  }
}

function fingerprint(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}
