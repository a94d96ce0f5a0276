import type { JsonObject, JsonValue } from '@endorse/interface';
import type { AssignmentPlan } from '../allocation/reprovisioning.ts';
import type { DeviceTwin } from '../hub/hub-store.ts';
import type { TwinContent } from '../hub/twin.ts';

/** What a planned twin is made of. */
export interface TwinSources {
  readonly twin: AssignmentPlan['twin'];
  /** The twin the device had where it was, when it moves. */
  readonly moved: DeviceTwin | undefined;
  /** `initialTwin` of a web-hook's answer. */
  readonly ofWebHook: JsonObject | undefined;
  /** `initialTwin` of the enrollment. */
  readonly ofEnrollment: JsonObject | undefined;
}

/** What a device's twin becomes; undefined to leave it as it is. */
export function planTwin({ twin, moved, ofWebHook, ofEnrollment }: TwinSources): TwinContent | undefined {
  switch (twin) {
    case 'keep':
      return undefined;
    case 'start':
      return toTwinContent(ofWebHook ?? ofEnrollment);
    case 'move':
      // What a web-hook gives goes over what the device brings with it.
      return {
        ...(moved && {
          tags: moved.tags,
          desired: moved.desired.properties,
          reported: moved.reported.properties,
        }),
        ...toTwinContent(ofWebHook),
      };
    default:
      return twin satisfies never;
  }
}

/** `{ tags, properties: { desired } }` of the service, as the hub takes it. */
function toTwinContent(initialTwin: JsonObject | undefined): TwinContent {
  const tags = asObject(initialTwin?.['tags']);
  const desired = asObject(asObject(initialTwin?.['properties'])?.['desired']);
  return { ...(tags === undefined ? {} : { tags }), ...(desired === undefined ? {} : { desired }) };
}

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : undefined;
}
