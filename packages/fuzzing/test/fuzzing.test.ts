/** The engine changes what it says and nothing else, and the budget is kept: nobody passes who was not run. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createFuzzGroup,
  mutateBytes,
  mutatedJson,
  mutatedSession,
  mutatedText,
  readFuzzBudget,
  renderFuzzReport,
} from '@endorse/fuzzing';

const bytes = Uint8Array.of(0, 5, 1, 2, 3);
const budget = { seconds: 0, seed: 7, target: '' };

describe('mutations of bytes', () => {
  test.each([
    [
      'a length one too large',
      { kind: 'integer', at: 0, width: 2, isLittleEndian: false, change: { by: 1n } },
      [0, 6, 1, 2, 3],
    ],
    [
      'a length below nothing',
      { kind: 'integer', at: 0, width: 1, isLittleEndian: false, change: { by: -1n } },
      [255, 5, 1, 2, 3],
    ],
    [
      'the other byte order',
      { kind: 'integer', at: 0, width: 2, isLittleEndian: true, change: { to: 1n } },
      [1, 0, 1, 2, 3],
    ],
    ['a change at the end', { kind: 'change', at: 4, bytes: Uint8Array.of(8, 9) }, [0, 5, 1, 2, 8, 9]],
    ['an insertion', { kind: 'insert', at: 1, bytes: Uint8Array.of(8) }, [0, 8, 5, 1, 2, 3]],
  ] as const)('%s', (_title, mutation, expected) => {
    expect([...mutateBytes(bytes, mutation, [bytes])]).toEqual(expected);
    expect([...bytes]).toEqual([0, 5, 1, 2, 3]);
  });

  const moves = { at: 1, count: 2, times: 2, other: 0, otherAt: 3 };
  test.each([
    ['cut', [0]],
    ['omit', [0, 2, 3]],
    ['repeat', [0, 5, 1, 5, 1, 5, 1, 2, 3]],
    ['swap', [0, 2, 3, 5, 1]],
    ['splice', [0, 2, 3]],
  ] as const)('%s', (kind, expected) => {
    expect([...mutateBytes(bytes, { kind, ...moves }, [bytes])]).toEqual(expected);
  });
});

test('what comes of a recording is also the recording itself, and JSON that is none', () => {
  const json = fc
    .sample(mutatedJson(['{"a":{"b":[1]}}']), { numRuns: 500, seed: 1 })
    .map((each) => Buffer.from(each).toString());
  expect(json).toContain('{"a":{"b":[1]}}');
  expect(json.some((text) => text.includes('__proto__'))).toBe(true);
  expect(json.some((text) => text.startsWith('\ufeff'))).toBe(true);
  expect(json.some((text) => text.split('"a"').length > 2)).toBe(true);
  expect(fc.sample(mutatedText(['recorded']), { numRuns: 200, seed: 1 })).toContain('recorded');
  const sessions = fc.sample(mutatedSession([[bytes, bytes], [bytes]]), { numRuns: 200, seed: 1 });
  expect(new Set(sessions.map(({ length }) => length)).size).toBeGreaterThan(3);
});

describe('a group', () => {
  test('runs a batch without any time, and says how to find a failure again', async () => {
    const group = createFuzzGroup('group', [{ name: 'one' }, { name: 'another' }], {
      ...budget,
      target: 'ANOTHER',
    });
    expect(group.targets).toEqual([{ name: 'another' }]);
    let runs = 0;
    const [target = { name: '' }] = group.targets;
    await group.run(
      target,
      50,
      fc.property(fc.nat(), () => void (runs += 1)),
    );
    expect(runs).toBe(50);
    const failing = fc.property(fc.nat(), (value) => value < 3);
    await expect(group.run(target, 50, failing)).rejects.toThrow(
      /--target 'another' --seed 7 [^]*Counterexample: \[3\]/,
    );
  });

  test('finds the same inputs from the same seed', async () => {
    const inputs = async (seed: number): Promise<readonly number[]> => {
      const seen: number[] = [];
      const group = createFuzzGroup('group', [{ name: 'one' }], { ...budget, seed });
      await group.run(
        { name: 'one' },
        10,
        fc.property(fc.nat(), (value) => void seen.push(value)),
      );
      return seen;
    };
    expect(await inputs(7)).toEqual(await inputs(7));
    expect(await inputs(8)).not.toEqual(await inputs(7));
  });
});

describe('the budget', () => {
  test('comes from the environment, with a new seed where none is given', () => {
    const given = { ENDORSE_FUZZ_SECONDS: '30', ENDORSE_FUZZ_SEED: '5', ENDORSE_FUZZ_TARGET: 'x' };
    expect(readFuzzBudget(given)).toEqual({ seconds: 30, seed: 5, target: 'x' });
    expect(readFuzzBudget({})).toMatchObject({ seconds: 4, target: '' });
  });

  test.each([
    ['ENDORSE_FUZZ_SECONDS', '-1'],
    ['ENDORSE_FUZZ_SECONDS', '1e3'],
    ['ENDORSE_FUZZ_SECONDS', '86401'],
    ['ENDORSE_FUZZ_SEED', 'x'],
    ['ENDORSE_FUZZ_SEED', '2147483648'],
  ])('refuses %s=%s', (name, text) => {
    expect(() => readFuzzBudget({ [name]: text })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE', argument: name }),
    );
  });
});

test('the report is a table a group', () => {
  const outcomes = [{ target: 'one', runs: 100, elapsedMs: 12.4 }];
  const text = renderFuzzReport([{ name: 'group', ...budget, outcomes }]);
  expect(text).toContain('## group\n\n0 s, seed 7.');
  expect(text).toContain('| one | 100 | 12 |');
});
