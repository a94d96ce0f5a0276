/**
 * What was observed, in words that are the same whenever the thing is: two services that do the same have the same
 * facts, whatever their names, keys and clocks. Nothing that is told apart only by a secret, an id or a host gets into them.
 */
import type { JsonValue } from '@endorse/interface';

/** One observation: what was looked at, and what it was. */
export type Facts = Readonly<Record<string, string>>;

/** What stands for a value that differs from run to run: the value itself, and its name. */
export type Names = readonly (readonly [value: string, name: string])[];

/** Puts a step's name in front of its facts. */
export function inStep(step: string, facts: Facts): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [`${step}: ${name}`, fact]));
}

/** A text of a service with everything that is different for each run replaced by its name. */
export function scrubText(text: string, names: Names): string {
  let scrubbed = text;
  for (const [value, name] of names.toSorted(([left], [right]) => right.length - left.length)) {
    const literal = value.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    scrubbed = scrubbed.replaceAll(new RegExp(literal, 'gi'), name);
  }
  for (const [pattern, name] of patterns) scrubbed = scrubbed.replaceAll(pattern, name);
  return scrubbed;
}

/** The members of a JSON value by their paths: types and formats, and the values of those that are words of the protocol. */
export function describeJson(value: JsonValue, names: Names, path = 'body'): Facts {
  if (Array.isArray(value)) {
    const [first] = value as readonly JsonValue[];
    const own = { [path]: value.length === 0 ? 'empty array' : 'array' };
    return first === undefined ? own : { ...own, ...describeJson(first, names, `${path}[]`) };
  }
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([name, member]) => !isExplanation(name, member))
      .map(([name, member]) => describeJson(member, names, `${path}.${name}`));
    return Object.assign({ [path]: members.length === 0 ? 'empty object' : 'object' }, ...members) as Facts;
  }
  return { [path]: describeLeaf(value, names, path.slice(path.lastIndexOf('.') + 1)) };
}

/** A date, a GUID, so many bytes in base64, a path: what a text looks like. */
export function describeFormat(text: string, names: Names): string {
  if (text === '') return 'empty text';
  const scrubbed = scrubText(text, names);
  if (/\s/.test(scrubbed.replaceAll(/<[^>]*>/g, ''))) return '<text>';
  return scrubbed.replaceAll(/<[^>]*>|[\w%~-]+/g, (part) =>
    part.startsWith('<') || pathWords.has(part) ? part : '<word>',
  );
}

/** The emulator says why it refuses, for the developer who runs it; that the service does not is known, and meant. */
function isExplanation(name: string, member: JsonValue): boolean {
  return (
    name === 'info' &&
    typeof member === 'object' &&
    member !== null &&
    Object.keys(member).every((each) => each === 'reason')
  );
}

/** What may stand in a path beside names. */
const pathWords: ReadonlySet<string> = new Set([
  'https',
  'registrations',
  'register',
  'operations',
  'devices',
  'enrollments',
  'api-version',
]);

const guid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

const patterns: readonly (readonly [RegExp, (text: string) => string])[] = [
  [new RegExp(`\\b\\d\\.[0-9a-f]{16}\\.${guid}`, 'gi'), () => '<operation id>'],
  [new RegExp(guid, 'gi'), () => '<GUID>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?/g, describeTime],
  [/[\w.-]+\.(?:azure-devices[\w.-]*|microsoft[\w.-]*)\.\w+(?::\d+)?/gi, () => '<host>'],
  [/<host>:\d+/g, () => '<host>'],
  // Not every long word: a key has digits and capitals, or is longer than any word.
  [
    /(?<![A-Za-z0-9+/])(?:(?=[A-Za-z0-9+/]*\d)(?=[A-Za-z0-9+/]*[A-Z])[A-Za-z0-9+/]{10,}|[A-Za-z0-9+/]{40,})={0,2}(?![\w+/=])/g,
    (text) => `<base64 of ${Buffer.from(text, 'base64').byteLength} bytes>`,
  ],
];

function describeTime(text: string): string {
  const [, fraction = '', zone = ''] = /:\d\d(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  return `<time, ${fraction.length} decimals, ${zone === '' ? 'no zone' : zone}>`;
}

/** Members whose value is a word of the protocol, or a text of the service for people. */
const wordMembers: ReadonlySet<string> = new Set([
  'status',
  'substatus',
  'message',
  'Message',
  'errorMessage',
  'errorCode',
  'keyName',
  'type',
  'provisioningStatus',
  'allocationPolicy',
  'isSuccessful',
]);

function describeLeaf(value: string | number | boolean | null, names: Names, member: string): string {
  if (wordMembers.has(member)) return scrubText(JSON.stringify(value), names);
  if (typeof value === 'string') return describeFormat(value, names);
  return value === null ? 'null' : typeof value;
}
