/**
 * JSON that means something else than it did: members that are gone, twice there, called otherwise or of another type,
 * numbers and nesting beyond all bounds, names that objects have of themselves, and text that is no text.
 */
import * as fc from 'fast-check';
import { byteMutations, mutateBytes, noise } from './byte-mutations.ts';
import { inheritedNames } from './text-mutations.ts';

/** JSON as it is written: members in order, so that a name may come twice. */
type JsonNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'array'; readonly items: JsonNode[] }
  | { readonly kind: 'object'; readonly members: [name: string, value: JsonNode][] };

type JsonMutation = { readonly at: number } & (
  | { readonly kind: 'drop' | 'duplicate' | 'wrap-array' | 'wrap-object' }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'replace'; readonly text: string }
  | { readonly kind: 'add'; readonly name: string; readonly text: string }
);

const names = [...inheritedNames, '', '\0', '\ud800', 'Status'];

/** Values that are of another type, out of range, or only just JSON. */
const values = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-1',
    '0.5',
    '""',
    '[]',
    '{}',
    '[null]',
    '{"":null}',
    '{"__proto__":null}',
  ],
  ...['1e999', '-1e999', '1e-999', '2147483648', '4294967296', '9007199254740993', '18446744073709551616'],
  ...['"\\ud800"', '"\\u0000"', '"\ufeff"', '"AAAA"', '"="', '"%00"', '"1970-01-01T00:00:00Z"', '"+275761"'],
  ...inheritedNames.map((name) => `"${name}"`),
  ...['NaN', 'undefined', "'a'", '01', '1.', '/**/0', '"\t"', '"\\x00"'],
  `"${'a'.repeat(5_000)}"`,
  `"${'A'.repeat(20_000)}"`,
  '9'.repeat(400),
  '['.repeat(3_000) + ']'.repeat(3_000),
  '{"a":'.repeat(2_000) + '1' + '}'.repeat(2_000),
  `[${'0,'.repeat(3_000)}0]`,
  `{${Array.from({ length: 500 }, (_, index) => `"n${index}":0`).join(',')}}`,
];

const jsonMutations: fc.Arbitrary<JsonMutation> = fc
  .record({
    at: fc.nat(),
    meaning: fc.oneof(
      fc.record({ kind: fc.constantFrom('drop', 'duplicate', 'wrap-array', 'wrap-object') }),
      fc.record({
        kind: fc.constant('rename'),
        name: fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 5 })),
      }),
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('replace'),
          text: fc.oneof(
            fc.constantFrom(...values),
            fc.string().map((text) => JSON.stringify(text)),
            fc.double().map(String),
            fc.integer().map(String),
          ),
        }),
      },
      fc.record({
        kind: fc.constant('add'),
        name: fc.constantFrom(...names),
        text: fc.constantFrom(...values),
      }),
    ),
  })
  .map(({ at, meaning }) => ({ at, ...meaning }));

/** JSON texts with up to three changes of meaning, some also damaged as bytes; whole and as noise now and then. */
export function mutatedJson(recordings: readonly string[]): fc.Arbitrary<string | Uint8Array> {
  const texts = fc
    .tuple(fc.constantFrom(...recordings), fc.array(jsonMutations, { maxLength: 3 }))
    .map(([text, mutations]) =>
      write(mutations.reduce((node, mutation) => mutate(node, mutation), parse(text))),
    );
  const recordedBytes = recordings.map((text) => Uint8Array.from(Buffer.from(text)));
  const bytes = fc
    .tuple(texts, fc.constantFrom('', '\ufeff'), fc.array(byteMutations, { maxLength: 2 }))
    .map(([text, mark, mutations]) =>
      mutations.reduce<Uint8Array>(
        (damaged, mutation) => mutateBytes(damaged, mutation, recordedBytes),
        Uint8Array.from(Buffer.from(mark + text)),
      ),
    );
  return fc.oneof(
    { weight: 8, arbitrary: texts },
    { weight: 4, arbitrary: bytes },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: noise },
  );
}

function parse(text: string): JsonNode {
  const toNode = (value: unknown): JsonNode => {
    if (Array.isArray(value)) return { kind: 'array', items: value.map(toNode) };
    if (typeof value !== 'object' || value === null) return { kind: 'text', text: JSON.stringify(value) };
    return { kind: 'object', members: Object.entries(value).map(([name, each]) => [name, toNode(each)]) };
  };
  return toNode(JSON.parse(text));
}

function write(node: JsonNode): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'array':
      return `[${node.items.map(write).join(',')}]`;
    case 'object':
      return `{${node.members.map(([name, value]) => `${JSON.stringify(name)}:${write(value)}`).join(',')}}`;
    default:
      return node satisfies never;
  }
}

/** The tree with the change at its node number `at`; the root is the last to be changed. */
function mutate(root: JsonNode, mutation: JsonMutation): JsonNode {
  let left = mutation.at % count(root);
  const visit = (node: JsonNode): JsonNode => {
    switch (node.kind) {
      case 'text':
        return node;
      case 'array':
        return {
          kind: 'array',
          items: node.items.flatMap((item) => visitChild('', item).map(([, value]) => value)),
        };
      case 'object':
        return { kind: 'object', members: node.members.flatMap(([name, value]) => visitChild(name, value)) };
      default:
        return node satisfies never;
    }
  };
  const visitChild = (name: string, value: JsonNode): [string, JsonNode][] => {
    left -= 1;
    return left === -1 ? change(name, value, mutation) : [[name, visit(value)]];
  };
  const visited = visit(root);
  return left >= 0 ? (change('', visited, mutation)[0]?.[1] ?? { kind: 'text', text: '' }) : visited;
}

function change(name: string, value: JsonNode, mutation: JsonMutation): [string, JsonNode][] {
  switch (mutation.kind) {
    case 'drop':
      return [];
    case 'duplicate':
      return [
        [name, value],
        [name, value],
      ];
    case 'rename':
      return [[mutation.name, value]];
    case 'replace':
      return [[name, { kind: 'text', text: mutation.text }]];
    case 'wrap-array':
      return [[name, { kind: 'array', items: [value] }]];
    case 'wrap-object':
      return [[name, { kind: 'object', members: [[name, value]] }]];
    case 'add':
      return [
        [name, value],
        [mutation.name, { kind: 'text', text: mutation.text }],
      ];
    default:
      return mutation satisfies never;
  }
}

function count(node: JsonNode): number {
  switch (node.kind) {
    case 'text':
      return 1;
    case 'array':
      return 1 + node.items.reduce((sum, item) => sum + count(item), 0);
    case 'object':
      return 1 + node.members.reduce((sum, [, value]) => sum + count(value), 0);
    default:
      return node satisfies never;
  }
}
