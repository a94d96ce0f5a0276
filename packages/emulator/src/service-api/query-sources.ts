/** The collections that queries can be about, as rows. */
import type { QueryItemType } from '@endorse/protocol';
import {
  enrollmentGroupToJson,
  individualEnrollmentToJson,
  registrationStateToJson,
} from '@endorse/protocol';
import type { AssignmentParts } from '../core/assignment.ts';
import { settleDue } from '../core/assignment.ts';
import { findRunning } from '../core/operation.ts';
import type { EmulatorStore, ListedRecord } from '../core/store.ts';
import type { Row } from '../query/evaluate.ts';
import type { EnrollmentGroupService } from './enrollment-group-service.ts';
import type { EnrollmentService } from './enrollment-service.ts';

/** A row and its place in the collection. */
export interface ListedRow {
  readonly position: number;
  /** Rows are made only when they are looked at. */
  readonly toRow: () => Row;
}

/** A collection that queries can be about. */
export interface QuerySource {
  /** Its name in `FROM`. */
  readonly name: string;
  readonly itemType: QueryItemType;
  /** The field by which a row is found without a search. */
  readonly keyField: string;
  /** Rows in the order of their records, from the first after a position; 0 is before all. */
  readonly rows: (after: number) => Iterable<ListedRow>;
  /** The row that has a key, which may be another one in its case. */
  readonly findRow: (key: string) => ListedRow | undefined;
}

/** Enrollments as rows, without keys. */
export function enrollmentRows({ enrollments }: EmulatorStore, service: EnrollmentService): QuerySource {
  return {
    name: 'enrollments',
    itemType: 'Enrollment',
    keyField: 'registrationId',
    ...rowsOf(
      (after) => enrollments.entries(after),
      (registrationId) => enrollments.entry(registrationId),
      (record) => individualEnrollmentToJson(service.describe(record)),
    ),
  };
}

/** Groups as rows, without keys. */
export function enrollmentGroupRows(
  { enrollmentGroups }: EmulatorStore,
  service: EnrollmentGroupService,
): QuerySource {
  return {
    name: 'enrollmentGroups',
    itemType: 'EnrollmentGroup',
    keyField: 'enrollmentGroupId',
    ...rowsOf(
      (after) => enrollmentGroups.entries(after),
      (enrollmentGroupId) => enrollmentGroups.entry(enrollmentGroupId),
      (record) => enrollmentGroupToJson(service.describe(record)),
    ),
  };
}

/** The registrations of a group as rows. Devices whose operations are due have one once somebody looks. */
export function registrationRows(parts: AssignmentParts, enrollmentGroupId: string): QuerySource {
  const { registrations, deviceMemories } = parts.store;
  return {
    name: 'deviceRegistrations',
    itemType: 'DeviceRegistration',
    keyField: 'registrationId',
    ...rowsOf(
      (after) => {
        if (after === 0) settleGroup();
        return registrations.entriesOfGroup(enrollmentGroupId, after);
      },
      (registrationId) => {
        settleDue(parts, registrationId);
        return registrations.entryOfGroup(enrollmentGroupId, registrationId);
      },
      registrationStateToJson,
    ),
  };

  function settleGroup(): void {
    // Settling writes to what is gone through here.
    const running = Array.from(deviceMemories.entriesOfGroup(enrollmentGroupId), ({ record }) =>
      findRunning(record),
    );
    for (const operation of running) {
      if (operation !== undefined) settleDue(parts, operation.device.registrationId);
    }
  }
}

function rowsOf<Record>(
  entries: (after: number) => Iterable<ListedRecord<Record>>,
  entry: (key: string) => ListedRecord<Record> | undefined,
  toJson: (record: Record) => Row,
): Pick<QuerySource, 'rows' | 'findRow'> {
  const toListedRow = ({ position, record }: ListedRecord<Record>): ListedRow => ({
    position,
    toRow: () => toJson(record),
  });
  return {
    *rows(after) {
      for (const each of entries(after)) yield toListedRow(each);
    },
    findRow: (key) => {
      const found = entry(key);
      return found === undefined ? undefined : toListedRow(found);
    },
  };
}
