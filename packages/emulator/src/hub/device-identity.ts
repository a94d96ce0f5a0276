import { createHash } from 'node:crypto';
import type { HubDevice } from './hub-store.ts';

/** A device identity without its keys. */
export interface DeviceDescription {
  readonly deviceId: string;
  /** The first eight hexadecimal digits of the SHA-256 of each key. */
  readonly keyFingerprints: readonly string[];
  readonly thumbprints?: readonly string[];
  readonly isBlocked?: true;
}

/** Describes a device without telling its keys. */
export function describeDevice({ deviceId, keys, thumbprints, isBlocked }: HubDevice): DeviceDescription {
  return {
    deviceId,
    keyFingerprints: keys.map((key) => createHash('sha256').update(key).digest('hex').slice(0, 8)),
    ...(thumbprints === undefined ? {} : { thumbprints }),
    ...(isBlocked === true ? { isBlocked } : {}),
  };
}

/** True when whatever opened a connection before opens one now, and the other way round. */
export function haveSameCredentials(left: HubDevice, right: HubDevice): boolean {
  return credentialsOf(left) === credentialsOf(right);
}

function credentialsOf({ keys, thumbprints = [] }: HubDevice): string {
  const texts = keys.map((key) => Buffer.from(key).toString('base64'));
  return [...texts, ...thumbprints].toSorted().join();
}
