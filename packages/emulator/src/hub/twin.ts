/**
 * Twins as values: what a patch makes of one, and which patches the hub takes.
 *
 * A patch is merged member by member; null removes. Each section counts its own changes, the twin counts all.
 */
import type { JsonObject, JsonValue } from '@endorse/interface';
import type { DeviceTwin, TwinSection } from './hub-store.ts';
import type { HubRefusal } from './hub-fault.ts';
import { hubRefusals } from './hub-fault.ts';

/** A part of a twin that can be patched. */
export type TwinPart = 'tags' | 'desired' | 'reported';

/** What a new twin starts with; every part defaults to empty. */
export interface TwinContent {
  readonly tags?: JsonObject;
  readonly desired?: JsonObject;
  readonly reported?: JsonObject;
}

/** A twin after a patch, or why there is none. */
export type TwinPatchOutcome = { readonly outcome: 'patched'; readonly twin: DeviceTwin } | HubRefusal;

/** Makes a twin whose versions begin at 1. Its content is checked like a patch. */
export function createTwin(deviceId: string, content: TwinContent, now: number): TwinPatchOutcome {
  let twin: DeviceTwin = {
    deviceId,
    version: 1,
    tags: {},
    desired: { properties: {}, version: 1, lastUpdatedAt: now },
    reported: { properties: {}, version: 1, lastUpdatedAt: now },
  };
  for (const part of ['tags', 'desired', 'reported'] as const) {
    const merged = mergePart(twin, part, content[part] ?? {});
    if (merged.outcome === 'refused') return merged;
    twin = withPart(twin, part, merged.properties);
  }
  return { outcome: 'patched', twin };
}

/** Applies a patch to one part of a twin. */
export function patchTwin(twin: DeviceTwin, part: TwinPart, patch: JsonValue, now: number): TwinPatchOutcome {
  const merged = mergePart(twin, part, patch);
  if (merged.outcome === 'refused') return merged;
  const changed = withPart({ ...twin, version: twin.version + 1 }, part, merged.properties);
  if (part === 'tags') return { outcome: 'patched', twin: changed };
  const section: TwinSection = { ...changed[part], version: twin[part].version + 1, lastUpdatedAt: now };
  return { outcome: 'patched', twin: { ...changed, [part]: section } };
}

function withPart(twin: DeviceTwin, part: TwinPart, properties: JsonObject): DeviceTwin {
  return { ...twin, [part]: part === 'tags' ? properties : { ...twin[part], properties } };
}

function mergePart(
  twin: DeviceTwin,
  part: TwinPart,
  patch: JsonValue,
): { readonly outcome: 'merged'; readonly properties: JsonObject } | HubRefusal {
  if (!isObject(patch)) return hubRefusals.invalidArgument(`the patch of ${part} is no JSON object`);
  const problem = findPatchProblem(patch, part);
  if (problem !== undefined) return hubRefusals.invalidArgument(problem);
  const properties = merge(part === 'tags' ? twin.tags : twin[part].properties, patch);
  // A patch may be larger than what it leaves, and goes to the device as it is.
  const byteLength = Math.max(...[patch, properties].map((each) => Buffer.byteLength(JSON.stringify(each))));
  return byteLength > maxPartBytes[part]
    ? hubRefusals.tooLarge(
        `the patch of ${part}, or what it makes, has ${byteLength} bytes, more than ${maxPartBytes[part]}`,
      )
    : { outcome: 'merged', properties };
}

/** The hub's own limits. */
const maxPartBytes: Readonly<Record<TwinPart, number>> = { tags: 8_192, desired: 32_768, reported: 32_768 };
const maxDepth = 10;
const maxNameBytes = 1_024;
const maxStringBytes = 4_096;
const maxInteger = 4_503_599_627_370_495;

function merge(into: JsonObject, patch: JsonObject): JsonObject {
  // Entries, because an assignment to a member called __proto__ would not make a member.
  const members = new Map(Object.entries(into));
  for (const [name, value] of Object.entries(patch)) {
    const before = members.get(name);
    if (value === null) members.delete(name);
    else if (isObject(value)) members.set(name, merge(isObject(before) ? before : {}, value));
    else members.set(name, value);
  }
  return Object.fromEntries(members);
}

function findPatchProblem(value: JsonValue, path: string, depth = 0): string | undefined {
  if (depth > maxDepth) return `${path} is nested deeper than ${maxDepth} levels`;
  if (typeof value === 'string' && Buffer.byteLength(value) > maxStringBytes) {
    return `${path} has more than ${maxStringBytes} bytes`;
  }
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) > maxInteger) {
    return `${path} is an integer beyond ±${maxInteger}`;
  }
  if (isArray(value)) {
    for (const [index, each] of value.entries()) {
      const problem =
        each === null
          ? `${path}[${index}] is null, which arrays may not hold`
          : findPatchProblem(each, `${path}[${index}]`, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (!isObject(value)) return undefined;
  for (const [name, each] of Object.entries(value)) {
    const problem = findNameProblem(name, path) ?? findPatchProblem(each, `${path}.${name}`, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function findNameProblem(name: string, path: string): string | undefined {
  if (name === '' || Buffer.byteLength(name) > maxNameBytes) {
    return `${path} has a member whose name is empty or longer than ${maxNameBytes} bytes`;
  }
  // Control characters, dot, dollar sign and space.
  return /[\p{Cc}.$ ]/u.test(name)
    ? `${path} has a member whose name holds a control character, '.', '$' or a space`
    : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Array.isArray does not narrow readonly arrays.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
