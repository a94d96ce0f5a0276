import type { GroupedRecordStore, ListedRecord } from '../core/store.ts';
import { decodeRecord, encodeRecord } from './record-codec.ts';
import type { RecordKeys } from './record-keys.ts';
import type { Slot } from './slot-list.ts';
import { SlotList } from './slot-list.ts';

/**
 * A collection in memory, its records as text: one object a record for the garbage collector instead of dozens, so that
 * a registration costs the same among a million enrollments as it does alone, and nobody can change what is kept.
 */
export function createMemoryRecords<Record extends object>({
  keyOf,
  groupOf,
  areFew,
}: RecordKeys<Record>): GroupedRecordStore<Record> {
  const readings = new WeakMap<Slot, { readonly value: string; readonly record: Record }>();
  const byKey = new Map<string, Slot>();
  const byGroup = new Map<string, SlotList>();
  const all = new SlotList();
  let lastPosition = 0;

  return {
    get: (id) => {
      const slot = byKey.get(keyOf(id));
      return slot?.value === undefined ? undefined : read(slot, slot.value);
    },
    set: (id, record) => {
      const key = keyOf(id);
      const group = groupOf(record);
      const value = encodeRecord(record);
      const known = byKey.get(key);
      if (known !== undefined && known.group === group) {
        known.value = value;
        return;
      }
      if (known !== undefined) remove(known);
      add({ key, position: (lastPosition += 1), group, value });
    },
    delete: (id) => {
      const slot = byKey.get(keyOf(id));
      if (slot !== undefined) remove(slot);
      return slot !== undefined;
    },
    *list() {
      for (const slot of all.after(0)) yield read(slot, slot.value);
    },
    *entries(after = 0) {
      for (const slot of all.after(after)) yield toEntry(slot, slot.value);
    },
    entry: (id) => findEntry(id, () => true),
    count: () => byKey.size,
    *entriesOfGroup(enrollmentGroupId, after = 0) {
      for (const slot of byGroup.get(enrollmentGroupId.toLowerCase())?.after(after) ?? [])
        yield toEntry(slot, slot.value);
    },
    entryOfGroup: (enrollmentGroupId, id) =>
      findEntry(id, ({ group }) => group === enrollmentGroupId.toLowerCase()),
    deleteGroup: (enrollmentGroupId) => {
      for (const slot of byGroup.get(enrollmentGroupId.toLowerCase())?.after(0) ?? []) remove(slot);
      byGroup.delete(enrollmentGroupId.toLowerCase());
    },
  };

  function findEntry(id: string, isWanted: (slot: Slot) => boolean): ListedRecord<Record> | undefined {
    const slot = byKey.get(keyOf(id));
    return slot?.value === undefined || !isWanted(slot) ? undefined : toEntry(slot, slot.value);
  }

  function toEntry(slot: Slot, value: string): ListedRecord<Record> {
    return { position: slot.position, id: slot.key, record: read(slot, value) };
  }

  function read(slot: Slot, value: string): Record {
    const reading = readings.get(slot);
    if (reading?.value === value) return reading.record;
    const record = decodeRecord(value) as Record;
    if (areFew) readings.set(slot, { value, record });
    return record;
  }

  function add(slot: Slot): void {
    byKey.set(slot.key, slot);
    all.push(slot);
    if (slot.group === undefined) return;
    const members = byGroup.get(slot.group) ?? new SlotList();
    members.push(slot);
    byGroup.set(slot.group, members);
  }

  function remove(slot: Slot): void {
    byKey.delete(slot.key);
    slot.value = undefined;
    all.noteRemoval();
    if (slot.group !== undefined) byGroup.get(slot.group)?.noteRemoval();
  }
}
