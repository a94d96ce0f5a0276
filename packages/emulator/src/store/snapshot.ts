/**
 * Everything a store holds as text, and back: a header, a line a record, and a last line that says how many there were.
 *
 *     {"format":"endorse-emulator-snapshot","version":1,"idScope":"…","hubs":{"hub":"localhost:41234"}}
 *     {"collection":"enrollments","id":"device-1","record":"…"}        record: as `record-codec.ts` writes it
 *     {"collection":"devices","hub":"hub","id":"Device-1","record":"…"}
 *     {"records":2}
 *
 * Host names of hubs are those of the emulator that wrote it; they become those of the hubs of the same names here.
 */
import { InvalidArgumentError } from '@endorse/interface';
import type { LinkedHub } from '../allocation/linked-hub.ts';
import type { EmulatorStore, RecordStore } from '../core/store.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';

/** Whose snapshot it is. */
export interface SnapshotOwner {
  readonly idScope: string;
  readonly hubs: readonly LinkedHub[];
}

/** Writes a snapshot. It holds keys in clear. */
export function* writeSnapshot(store: EmulatorStore, { idScope, hubs }: SnapshotOwner): Generator<string> {
  const hostNames = Object.fromEntries(hubs.map(({ name, hostName }) => [name, hostName]));
  yield JSON.stringify({ format, version, idScope, hubs: hostNames });
  let records = 0;
  for (const collection of collections) {
    for (const { id, record } of store[collection].entries()) {
      records += 1;
      yield JSON.stringify({ collection, id, record: encodeRecord(record) });
    }
  }
  for (const { name } of hubs) {
    const { devices, twins } = store.hub(name);
    for (const device of devices.list()) {
      const { deviceId: id } = device;
      const twin = twins.get(id);
      records += 1;
      yield JSON.stringify({ collection: 'devices', hub: name, id, record: encodeRecord(device) });
      if (twin === undefined) continue;
      records += 1;
      yield JSON.stringify({ collection: 'twins', hub: name, id, record: encodeRecord(twin) });
    }
  }
  yield JSON.stringify({ records });
}

/**
 * Puts what a snapshot holds in the place of everything the store holds, in one step.
 * Throws `ERR_INVALID_ARGUMENT`, and leaves the store as it was, for text that is no whole snapshot, or one of another ID scope or of hubs that are not linked here.
 */
export function restoreSnapshot(store: EmulatorStore, owner: SnapshotOwner, lines: Iterable<string>): void {
  // Read to the end before anything is written: not every store can take back.
  const [first, ...rest] = [...lines].filter((line) => line !== '').map(parseLine);
  const header = readHeader(first, owner);
  const { records } = rest.pop() ?? {};
  if (records !== rest.length) throw unusable('is cut off');
  const rename = createRenaming(header.hubs, owner.hubs);
  const entries = rest.map((line) => readEntry(line, owner.hubs, rename));
  store.transaction(() => {
    for (const collection of collections) {
      for (const { id } of store[collection].entries()) store[collection].delete(id);
    }
    for (const { name } of owner.hubs) {
      const { devices, twins } = store.hub(name);
      for (const { deviceId } of [...devices.list()]) {
        devices.delete(deviceId);
        twins.delete(deviceId);
      }
    }
    for (const { collection, hub, id, record } of entries)
      findRecords(store, collection, hub).set(id, record);
  });
}

const format = 'endorse-emulator-snapshot';
const version = 1;
const collections = [
  'enrollments',
  'enrollmentGroups',
  'caCertificates',
  'registrations',
  'deviceMemories',
] as const;

type Line = Readonly<Record<string, unknown>>;

interface Entry {
  readonly collection: (typeof collections)[number] | 'devices' | 'twins';
  readonly hub: string | undefined;
  readonly id: string;
  readonly record: never;
}

function parseLine(line: string, index: number): Line {
  try {
    const value = JSON.parse(line) as unknown;
    if (typeof value === 'object' && value !== null) return value as Line;
  } catch {
    // Said below.
  }
  throw unusable(`has no JSON object in line ${index + 1}`);
}

function readHeader(
  line: Line | undefined,
  owner: SnapshotOwner,
): { readonly hubs: Readonly<Record<string, string>> } {
  if (line?.['format'] !== format) throw unusable('is no snapshot of an emulator');
  if (line['version'] !== version) throw unusable(`has version ${String(line['version'])}, not ${version}`);
  const { idScope, hubs } = line as { idScope?: string; hubs?: Readonly<Record<string, string>> };
  if (idScope?.toLowerCase() !== owner.idScope.toLowerCase()) {
    throw unusable(`is of the ID scope ${String(idScope)}, not ${owner.idScope}`);
  }
  return { hubs: hubs ?? {} };
}

function readEntry(line: Line, hubs: readonly LinkedHub[], rename: (value: unknown) => unknown): Entry {
  const { collection, hub, id, record } = line as {
    collection?: string;
    hub?: string;
    id?: string;
    record?: string;
  };
  const isOfHub = collection === 'devices' || collection === 'twins';
  const isKnown = isOfHub || collections.some((name) => name === collection);
  if (!isKnown || typeof id !== 'string' || typeof record !== 'string')
    throw unusable('has a line that is no record');
  if (isOfHub && !hubs.some(({ name }) => name === hub))
    throw unusable(`has devices of the hub ${String(hub)}, which is not linked here`);
  return {
    collection: collection as Entry['collection'],
    hub,
    id,
    record: rename(decodeRecord(record)) as never,
  };
}

function findRecords(
  store: EmulatorStore,
  collection: Entry['collection'],
  hub = '',
): Pick<RecordStore<never>, 'set'> {
  switch (collection) {
    case 'devices':
    case 'twins':
      return store.hub(hub)[collection];
    default:
      return store[collection];
  }
}

/** Replaces the host names of hubs wherever they stand alone: in assignments, outcomes and enrollments. */
function createRenaming(
  theirs: Readonly<Record<string, string>>,
  ours: readonly LinkedHub[],
): (value: unknown) => unknown {
  const renamed = new Map(
    ours.flatMap(({ name, hostName }) => {
      const before = theirs[name];
      return before === undefined || before === hostName ? [] : [[before, hostName] as const];
    }),
  );
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return renamed.get(value) ?? value;
    if (Array.isArray(value)) return value.map(rename);
    const isPlain =
      typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    if (!isPlain) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rename(member)]));
  };
  return renamed.size === 0 ? (value) => value : rename;
}

function unusable(problem: string): InvalidArgumentError {
  return new InvalidArgumentError('snapshot', problem);
}
