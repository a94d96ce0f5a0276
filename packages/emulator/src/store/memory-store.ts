import type { EmulatorStore } from '../core/store.ts';
import type { HubStore } from '../hub/hub-store.ts';
import { createMemoryRecords } from './memory-records.ts';
import { collectionKeys, hubCollectionKeys } from './record-keys.ts';

/** A store that lives and dies with the process. Nothing of ours throws between two writes, so it takes nothing back. */
export function createMemoryStore(): EmulatorStore {
  const hubs = new Map<string, HubStore>();
  return {
    enrollments: createMemoryRecords(collectionKeys.enrollments),
    enrollmentGroups: createMemoryRecords(collectionKeys.enrollmentGroups),
    caCertificates: createMemoryRecords(collectionKeys.caCertificates),
    registrations: createMemoryRecords(collectionKeys.registrations),
    deviceMemories: createMemoryRecords(collectionKeys.deviceMemories),
    hub: (hubName) => {
      const known = hubs.get(hubName) ?? createHubStore();
      hubs.set(hubName, known);
      return known;
    },
    transaction: (work) => work(),
  };
}

function createHubStore(): HubStore {
  return {
    devices: createMemoryRecords(hubCollectionKeys.devices),
    twins: createMemoryRecords(hubCollectionKeys.twins),
  };
}
