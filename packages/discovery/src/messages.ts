/** What a probe and a reply say, whatever bytes carry them. */

/** What a device wants to be asked about; a device that does not match stays silent. Compared without regard to case. */
export interface ProbeFilter {
  readonly vendor?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly state?: DeviceState;
}

/** A question to every device in earshot. */
export interface DiscoveryProbe {
  /** 128 random bits as 22 characters of base64url; the same on every repeat, echoed by every reply. */
  readonly id: string;
  /** The longest a device may wait before it answers, in milliseconds, 0 to 10,000. */
  readonly maxReplyDelayMs: number;
  readonly filter?: ProbeFilter;
}

/** Whether somebody has set the device up already; `factory` when it is as it left the works. */
export type DeviceState = 'factory' | 'claimed' | 'unknown';

/** Where the API of a device listens. */
export interface DeviceApi {
  readonly scheme: 'https';
  /** TCP port, 1 to 65,535. */
  readonly port: number;
  /** Path that all calls begin with, for example `/api/v1`. */
  readonly path: string;
  /** Name of the API's family, for example `thingspro-edge`; how a client tells which calls to make. */
  readonly kind?: string;
}

/** What a device says of itself: a hint, never proof. It holds no credential and no key. */
export interface DeviceAnnouncement {
  /** Serial number as it is spelled on the device; compared without regard to case. */
  readonly serial: string;
  readonly vendor?: string;
  readonly model?: string;
  /** One MAC address of the device, always the same one, as 12 lower-case hex digits. */
  readonly mac?: string;
  readonly hostname?: string;
  /** IP addresses the device believes it has; not necessarily reachable. */
  readonly addresses: readonly string[];
  readonly api: DeviceApi;
  readonly firmware?: string;
  readonly software?: string;
  /** SHA-256 of its TLS certificate (DER), as 64 lower-case hex digits. */
  readonly tlsSha256?: string;
  readonly state: DeviceState;
  /** What it can do, for example `tpm` and `dps`. */
  readonly capabilities: readonly string[];
}

/** An announcement in answer to a probe. */
export interface DiscoveryReply {
  /** `id` of the probe it answers. */
  readonly id: string;
  readonly device: DeviceAnnouncement;
}

/** True when the device is one the filter asks for. */
export function matchesFilter(device: DeviceAnnouncement, filter: ProbeFilter = {}): boolean {
  return (
    sameText(filter.vendor, device.vendor) &&
    sameText(filter.model, device.model) &&
    sameText(filter.serial, device.serial) &&
    (filter.state === undefined || filter.state === device.state)
  );
}

function sameText(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted.toLowerCase() === actual?.toLowerCase();
}
