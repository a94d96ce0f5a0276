import type { DiscoveredDevice } from './discovered-device.ts';
import type { Endpoint } from './targets.ts';

/** Why a datagram was not taken as an answer. */
export type RejectionReason =
  | 'malformed'
  | 'too-large'
  | 'unexpected-message'
  | 'wrong-id'
  | 'too-many-from-source'
  | 'too-many-devices';

/** Counters of one run; each is a whole number from 0. */
export interface DiscoveryCounters {
  /** Probes sent, over all sockets and repeats. */
  readonly probesSent: number;
  /** Datagrams received, our own probes not counted. */
  readonly received: number;
  /** Valid answers that said nothing new. */
  readonly duplicates: number;
  readonly rejected: Readonly<Record<RejectionReason, number>>;
}

/** Several devices that answered with one serial. */
export interface SerialConflict {
  readonly key: string;
  /** Serial as the first of them spelled it. */
  readonly serial: string;
  /** All of them; none is eligible. */
  readonly devices: readonly DiscoveredDevice[];
}

/** What a run found. */
export interface DiscoverySummary {
  /** Sorted by key, then by address. */
  readonly devices: readonly DiscoveredDevice[];
  readonly conflicts: readonly SerialConflict[];
  /** Serials that were expected and did not answer, as they were given. */
  readonly missingSerials: readonly string[];
  readonly counters: DiscoveryCounters;
}

/** What happens during a run. */
export type DiscoveryEvent =
  | { readonly event: 'device-found'; readonly device: DiscoveredDevice }
  | { readonly event: 'device-updated'; readonly device: DiscoveredDevice }
  | { readonly event: 'conflict-found'; readonly conflict: SerialConflict }
  /** Told of the first 100 of a run; the counters know them all. */
  | {
      readonly event: 'datagram-rejected';
      readonly source: Endpoint;
      readonly reason: RejectionReason;
      readonly problem: string;
    }
  /** An interface that cannot be used; the others go on. */
  | { readonly event: 'interface-failed'; readonly interfaceName: string; readonly problem: string }
  | { readonly event: 'window-closed'; readonly summary: DiscoverySummary };
