/**
 * The query language. Oracle: the queries that the official CLI, the Java query builder and the documentation send,
 * and SQL's three-valued logic for fields a row does not have.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMatch, project } from '../src/query/evaluate.ts';
import { parseQuery } from '../src/query/parser.ts';
import { QueryError } from '../src/query/query-error.ts';

const row = {
  registrationId: 'device-1',
  provisioningStatus: 'enabled',
  attestation: { type: 'tpm' },
  capabilities: { iotEdge: false },
  initialTwin: { tags: { floor: 3, note: null, quoted: "it's" } },
};

describe('conditions', () => {
  test.each([
    ["provisioningStatus = 'enabled'", true],
    ['provisioningStatus = "disabled"', false],
    ['attestation.type = `tpm`', true],
    ["'tpm' = attestation.type", true],
    ['3 < initialTwin.tags.floor', false],
    ['4 > initialTwin.tags.floor', true],
    ['initialTwin.tags.floor >= 3', true],
    ['initialTwin.tags.floor <= 2.5', false],
    ['initialTwin.tags.floor <> 3', false],
    ['initialTwin.tags.floor != -3e0', true],
    ['capabilities.iotEdge = FALSE', true],
    ['initialTwin.tags.note = null', true],
    ["initialTwin.tags.quoted = 'it''s'", true],
    ["initialTwin.tags.quoted = 'it\\'s'", true],
    ["registrationId > 'device-0' and registrationId < 'device-2'", true],
    ["registrationId IN ['a', 'device-1']", true],
    ["registrationId not in ('a', 'device-1')", false],
    ["NOT registrationId = 'a'", true],
    ["NOT (registrationId = 'a' OR attestation.type = 'tpm')", false],
    // AND before OR.
    ["registrationId = 'device-1' OR registrationId = 'a' AND attestation.type = 'x509'", true],
    ["(registrationId = 'device-1' OR registrationId = 'a') AND attestation.type = 'x509'", false],
    // What is not there is neither equal nor different.
    ["deviceId = 'x'", false],
    ["deviceId != 'x'", false],
    ["NOT deviceId = 'x'", false],
    ["deviceId NOT IN ['x']", false],
    ["deviceId = 'x' OR registrationId = 'device-1'", true],
    ["deviceId = 'x' AND registrationId = 'a'", false],
    ["NOT (deviceId = 'x' AND registrationId = 'a')", true],
    // Neither is what cannot be ordered.
    ["initialTwin.tags.floor < '4'", false],
    ['attestation > 1', false],
    ['registrationId.length = 8', false],
    ["constructor.name = 'Object'", false],
  ])('%s is %s', (condition, expected) => {
    const query = parseQuery(`SELECT * FROM enrollments WHERE ${condition}`, 'enrollments');
    expect(isMatch(query, row)).toBe(expected);
  });
});

test.each(['SELECT *', 'select * from Enrollments', ' SELECT\n*\tFROM enrollments '])(
  '%j takes everything',
  (text) => {
    const query = parseQuery(text, 'enrollments');
    expect([isMatch(query, row), project(query, row)]).toEqual([true, row]);
  },
);

test('fields are selected under their last name or another', () => {
  const query = parseQuery(
    'SELECT registrationId, attestation.type AS kind, initialTwin.tags, deviceId',
    'x',
  );
  expect(project(query, row)).toEqual({
    registrationId: 'device-1',
    kind: 'tpm',
    tags: row.initialTwin.tags,
  });
});

test.each([
  ['', 'expected SELECT, found the end at position 1'],
  ['DELETE FROM enrollments', 'expected SELECT, found DELETE at position 1'],
  ['SELECT', 'expected a field name, found the end at position 7'],
  ['SELECT * FROM devices', 'expected enrollments, found devices at position 15'],
  ['SELECT * WHERE', 'expected a field name, found the end at position 15'],
  ['SELECT * WHERE a', 'expected a comparison, found the end at position 17'],
  ['SELECT * WHERE a =', 'expected a value, found the end at position 19'],
  ['SELECT * WHERE a = b', 'expected a value, found b at position 20'],
  ['SELECT * WHERE a LIKE 1', 'expected a comparison, found LIKE at position 18'],
  ["SELECT * WHERE a = 'x", "the string has no closing ' at position 20"],
  ['SELECT * WHERE a = 1 GROUP BY a', 'expected the end of the query, found GROUP at position 22'],
  ['SELECT * WHERE (a = 1', 'expected ), found the end at position 22'],
  ['SELECT * WHERE a IN 1', 'expected a list in [ ], found a number at position 21'],
  ['SELECT * WHERE a IN [1)', 'expected ], found ) at position 23'],
  ['SELECT * WHERE a NOT = 1', 'expected IN, found = at position 22'],
  ['SELECT a, a', 'a is selected twice at position 11'],
  ['SELECT a, FROM x', 'expected a field name, found FROM at position 11'],
  ['SELECT COUNT() AS n', 'expected the end of the query, found ( at position 13'],
  ['SELECT * ; DROP', 'unexpected ";" at position 10'],
  ['SELECT * WHERE a = 12ab', 'unexpected "1" at position 20'],
  [`SELECT * WHERE ${'NOT '.repeat(80)}a = 1`, 'the condition is nested too deeply at position 276'],
])('%j: %s', (text, message) => {
  expect(() => parseQuery(text, 'enrollments')).toThrow(message);
});

test('any text is a query or an error with a position inside it', () => {
  const words = fc.constantFrom(
    'SELECT',
    '*',
    'a',
    '.',
    ',',
    'FROM',
    'x',
    'WHERE',
    '=',
    "'s'",
    'IN',
    '[',
    ']',
    '(',
    ')',
    'NOT',
    'AND',
    '1',
    '`',
    '\\',
  );
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 20 }).map((parts) => parts.join(' ')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        isMatch(parseQuery(text, 'x'), row);
      } catch (error) {
        expect(error).toBeInstanceOf(QueryError);
        const { position } = error as QueryError;
        expect(position >= 1 && position <= text.length + 1).toBe(true);
      }
    }),
  );
});
