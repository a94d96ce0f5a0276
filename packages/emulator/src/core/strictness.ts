/**
 * What only a strict emulator refuses: what the service's documentation rules out, or gives no word for, and what the service
 * itself is known or thought to take. A client that passes here has nothing to fear from a later version of the service.
 */
import { parseApiVersion } from '@endorse/protocol';
import type { LinkedHub } from '../allocation/linked-hub.ts';
import { findLinkedHub } from '../allocation/linked-hub.ts';
import type { ServiceFault } from './fault.ts';
import { faults } from './fault.ts';
import type { EnrollmentGroupRecord, EnrollmentRecord } from './store.ts';

/** How much an emulator takes: what the service takes, or only what its documentation allows. */
export type Strictness = 'loose' | 'strict';

/** Both of them. */
export const strictnessLevels: readonly Strictness[] = Object.freeze(['loose', 'strict']);

/** Why an id is none by the letter; undefined when it is one. Applies to registration ids and enrollment group ids. */
export function findStrictIdProblem(id: string): string | undefined {
  const isPlain = /^[a-z0-9](?:.*[a-z0-9])?$/is.test(id);
  return isPlain ? undefined : 'must begin and end with a letter or a digit';
}

/** Why an enrollment or a group is refused by the letter. */
export function findStrictEnrollmentFault(
  record: EnrollmentRecord | EnrollmentGroupRecord,
  hubs: readonly LinkedHub[],
): ServiceFault | undefined {
  const id = 'enrollmentGroupId' in record ? record.enrollmentGroupId : record.registrationId;
  const idProblem = findStrictIdProblem(id);
  if (idProblem !== undefined) return invalid(`the id ${idProblem}`);
  const [unknownMember] = Object.keys(record.extra ?? {});
  if (unknownMember !== undefined) return invalid(`there is no member ${unknownMember}`);
  const named = [
    ...(record.iotHubs ?? []),
    ...(record.iotHubHostName === undefined ? [] : [record.iotHubHostName]),
  ];
  const unlinked = named.find((hub) => findLinkedHub(hubs, hub) === undefined);
  if (unlinked !== undefined) return invalid(`the hub ${unlinked} is not linked`);
  if (record.allocationPolicy === 'static' && named.length === 0) {
    return invalid('a static allocation names no hub');
  }
  return undefined;
}

/** Why a request with an api-version is refused by the letter: the service has published no such version. */
export function findStrictVersionFault(apiVersion: string): ServiceFault | undefined {
  const { text } = parseApiVersion(apiVersion);
  if (publishedVersions.includes(text)) return undefined;
  return faults.malformedRequest(`api-version ${text} is none of ${publishedVersions.join(', ')}`);
}

const publishedVersions: readonly string[] = [
  '2017-08-31-preview',
  '2017-11-15',
  '2018-04-01',
  '2018-09-01-preview',
  '2018-11-01',
  '2019-03-31',
  '2019-04-15',
  '2021-06-01',
  '2021-10-01',
  '2021-11-01-preview',
  '2025-07-01-preview',
  '2026-04-01',
];

function invalid(reason: string): ServiceFault {
  return faults.invalidArgument('The enrollment is invalid.', reason);
}
