import type { JsonObject } from '@endorse/interface';
import type { ListedRecordStore, RecordStore } from '../core/store.ts';

/** A device identity of a hub. */
export interface HubDevice {
  /** Case-sensitive. */
  readonly deviceId: string;
  /** Keys of which any may sign the device's tokens. */
  readonly keys: readonly Uint8Array[];
  /** SHA-256 over the DER of client certificates of which any identifies the device, in upper-case hexadecimal. */
  readonly thumbprints?: readonly string[];
  /** True when nothing the device has lets it in. */
  readonly isBlocked?: boolean;
}

/** One side of a twin's properties. */
export interface TwinSection {
  readonly properties: JsonObject;
  /** 1 when the twin is new, one more with every change. */
  readonly version: number;
  /** In milliseconds since 1970 by the hub's clock. */
  readonly lastUpdatedAt: number;
}

/** What hub and device know of each other. */
export interface DeviceTwin {
  readonly deviceId: string;
  /** 1 when the twin is new, one more with every change of any part. */
  readonly version: number;
  /** Seen by the hub's owner only. */
  readonly tags: JsonObject;
  /** Set by the hub's owner, read by the device. */
  readonly desired: TwinSection;
  /** Set by the device. */
  readonly reported: TwinSection;
}

/** What a hub keeps of its devices. Keys are device ids, which are told apart by case. */
export interface HubStore {
  readonly devices: ListedRecordStore<HubDevice>;
  readonly twins: RecordStore<DeviceTwin>;
}
