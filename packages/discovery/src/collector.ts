/**
 * The core of the prober: what is made of the datagrams of one run. It does no IO and knows no time of its own.
 *
 * Rules:
 * - only answers that echo the id of our probe count, so what was not asked for changes nothing;
 * - the same key from the same source is the same device; from another source it is when MAC or TLS certificate
 *   say so, else the devices are in conflict and none of them is eligible;
 * - placeholder serials never merge;
 * - memory is bounded whatever arrives: devices, sources and told rejections each have a cap.
 */
import { isEndorseError } from '@endorse/interface';
import type { DiscoveryCodec } from './codec.ts';
import { deviceKey, isSameDevice, usableMac } from './device-identity.ts';
import type { DiscoveredDevice, EligibilityRules } from './discovered-device.ts';
import { describeDevice } from './discovered-device.ts';
import type { DiscoveryEvent, DiscoverySummary, RejectionReason, SerialConflict } from './events.ts';
import type { DeviceAnnouncement } from './messages.ts';
import type { NetworkAddress } from './network.ts';
import type { Endpoint } from './targets.ts';

/** A site with more devices than this is discovered in parts. */
export const maxDevices = 4096;
/** Valid answers taken from one address in one run: four probes, each on two paths. */
export const maxRepliesPerSource = 8;
/** Every device on two paths. */
const maxSources = 2 * maxDevices;
const maxSourcesPerDevice = 8;
/** A conflict is told anew for each further device up to this many; the summary knows them all. */
const maxConflictTold = 8;
const maxRejectionsTold = 100;

/** What a collector needs to know. */
export interface CollectorSettings {
  readonly probeId: string;
  readonly codec: DiscoveryCodec;
  readonly network: readonly NetworkAddress[];
  readonly eligibility: EligibilityRules;
  /** Serials in lower case, to how they were given; undefined when anything is expected. */
  readonly expectedSerials: ReadonlyMap<string, string> | undefined;
}

interface Entry {
  announcement: DeviceAnnouncement;
  readonly sources: string[];
  readonly firstSeenAt: number;
}

/** Collects the answers of one run. */
export class Collector {
  readonly #settings: CollectorSettings;
  readonly #byKey = new Map<string, Entry[]>();
  readonly #serialsByMac = new Map<string, Set<string>>();
  readonly #answersBySource = new Map<string, number>();
  readonly #seenSerials = new Set<string>();
  readonly #rejected: Record<RejectionReason, number> = {
    malformed: 0,
    'too-large': 0,
    'unexpected-message': 0,
    'wrong-id': 0,
    'too-many-from-source': 0,
    'too-many-devices': 0,
  };
  #deviceCount = 0;
  #received = 0;
  #duplicates = 0;
  #rejectionsTold = 0;

  constructor(settings: CollectorSettings) {
    this.#settings = settings;
  }

  /** Devices so far. */
  get deviceCount(): number {
    return this.#deviceCount;
  }

  /** True when every expected serial has answered; false when none were named. */
  get hasAllExpected(): boolean {
    const { expectedSerials } = this.#settings;
    if (expectedSerials === undefined) return false;
    return [...expectedSerials.keys()].every((serial) => this.#seenSerials.has(serial));
  }

  /** Takes one datagram; returns what it changed. */
  accept(datagram: Uint8Array, source: Endpoint, nowMs: number): readonly DiscoveryEvent[] {
    this.#received += 1;
    const { codec, probeId } = this.#settings;
    if (datagram.byteLength > codec.maxDatagramBytes) {
      return this.#reject(source, 'too-large', `${datagram.byteLength} bytes`);
    }
    let reply;
    try {
      reply = codec.decodeReply(datagram);
    } catch (error) {
      return this.#reject(source, reasonOf(error), error instanceof Error ? error.message : String(error));
    }
    if (reply.id !== probeId) return this.#reject(source, 'wrong-id', 'answers another probe');
    const answers = (this.#answersBySource.get(source.address) ?? 0) + 1;
    if (answers > maxRepliesPerSource) {
      return this.#reject(source, 'too-many-from-source', `more than ${maxRepliesPerSource} answers`);
    }
    if (answers === 1 && this.#answersBySource.size >= maxSources) {
      return this.#reject(source, 'too-many-devices', `more than ${maxSources} addresses`);
    }
    this.#answersBySource.set(source.address, answers);
    return this.#merge(reply.device, source, nowMs);
  }

  /** Everything found so far. */
  summarize(probesSent: number): DiscoverySummary {
    const devices = [...this.#byKey.keys()]
      .flatMap((key) => this.#describeAll(key))
      .toSorted((a, b) => compareText(a.key, b.key) || compareText(a.address, b.address));
    const conflicts = [...this.#byKey.keys()].toSorted(compareText).flatMap((key) => {
      const conflict = this.#conflictOf(key);
      return conflict === undefined ? [] : [conflict];
    });
    return {
      devices,
      conflicts,
      missingSerials: [...(this.#settings.expectedSerials ?? [])]
        .filter(([serial]) => !this.#seenSerials.has(serial))
        .map(([, given]) => given),
      counters: {
        probesSent,
        received: this.#received,
        duplicates: this.#duplicates,
        rejected: { ...this.#rejected },
      },
    };
  }

  #merge(announcement: DeviceAnnouncement, source: Endpoint, nowMs: number): readonly DiscoveryEvent[] {
    const key = deviceKey(announcement);
    const entries = this.#byKey.get(key) ?? [];
    const { address } = source;
    const known =
      entries.find((entry) => entry.sources.includes(address)) ??
      entries.find((entry) => isSameDevice(entry.announcement, announcement));
    if (known === undefined) return this.#add(key, entries, announcement, address, nowMs);
    const isNewSource = !known.sources.includes(address) && known.sources.length < maxSourcesPerDevice;
    if (!isNewSource && JSON.stringify(known.announcement) === JSON.stringify(announcement)) {
      this.#duplicates += 1;
      return [];
    }
    known.announcement = announcement;
    if (isNewSource) known.sources.push(address);
    this.#rememberMac(key, announcement);
    return [{ event: 'device-updated', device: this.#describe(key, known) }];
  }

  #add(
    key: string,
    entries: Entry[],
    announcement: DeviceAnnouncement,
    address: string,
    nowMs: number,
  ): readonly DiscoveryEvent[] {
    if (this.#deviceCount >= maxDevices) {
      return this.#reject({ address, port: 0 }, 'too-many-devices', `more than ${maxDevices} devices`);
    }
    const entry: Entry = { announcement, sources: [address], firstSeenAt: nowMs };
    entries.push(entry);
    this.#byKey.set(key, entries);
    this.#deviceCount += 1;
    this.#seenSerials.add(announcement.serial.toLowerCase());
    this.#rememberMac(key, announcement);
    const found: DiscoveryEvent = { event: 'device-found', device: this.#describe(key, entry) };
    const conflict = entries.length <= maxConflictTold ? this.#conflictOf(key) : undefined;
    return conflict === undefined ? [found] : [found, { event: 'conflict-found', conflict }];
  }

  #conflictOf(key: string): SerialConflict | undefined {
    const [first, second] = this.#byKey.get(key) ?? [];
    if (first === undefined || second === undefined) return undefined;
    return { key, serial: first.announcement.serial, devices: this.#describeAll(key) };
  }

  #describeAll(key: string): readonly DiscoveredDevice[] {
    return (this.#byKey.get(key) ?? []).map((entry) => this.#describe(key, entry));
  }

  #describe(key: string, entry: Entry): DiscoveredDevice {
    const { network, eligibility, expectedSerials } = this.#settings;
    const mac = usableMac(entry.announcement);
    return describeDevice(entry.announcement, {
      key,
      sources: entry.sources,
      firstSeenAt: entry.firstSeenAt,
      isConflicting: (this.#byKey.get(key)?.length ?? 0) > 1,
      sharesMac: mac !== undefined && (this.#serialsByMac.get(mac)?.size ?? 0) > 1,
      isExpected: expectedSerials?.has(entry.announcement.serial.toLowerCase()) ?? true,
      network,
      eligibility,
    });
  }

  #rememberMac(key: string, announcement: DeviceAnnouncement): void {
    const mac = usableMac(announcement);
    if (mac === undefined) return;
    const keys = this.#serialsByMac.get(mac) ?? new Set();
    keys.add(key);
    this.#serialsByMac.set(mac, keys);
  }

  #reject(source: Endpoint, reason: RejectionReason, problem: string): readonly DiscoveryEvent[] {
    this.#rejected[reason] += 1;
    if (this.#rejectionsTold >= maxRejectionsTold) return [];
    this.#rejectionsTold += 1;
    return [{ event: 'datagram-rejected', source, reason, problem }];
  }
}

function reasonOf(error: unknown): RejectionReason {
  if (!isEndorseError(error)) return 'malformed';
  if (error.code === 'ERR_REMOTE_TOO_LARGE') return 'too-large';
  return error.code === 'ERR_REMOTE_UNEXPECTED' ? 'unexpected-message' : 'malformed';
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
