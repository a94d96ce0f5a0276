import { expect, test } from 'vitest';
import { createScript } from '../../bench/registrar/registration-script.ts';

const registration = (id: string, now: number) => [
  { text: 'BEGIN', parameters: [] },
  {
    text: 'INSERT INTO devices\n  VALUES ($1, $2, $3, $1, $10)',
    parameters: [id, 'x', now, ...Array.from({ length: 6 }, () => null), 'ten'],
  },
  { text: 'INSERT INTO credentials VALUES ($1, $2)', parameters: [id, null] },
  { text: 'COMMIT', parameters: [] },
];

test('what two registrations have in common is a constant of the script, an id is drawn once a transaction', () => {
  expect(createScript(registration('a', 1), registration('b', 2))).toEqual({
    text: [
      '\\set drawn_0 random(1, 9000000000000000000)',
      'BEGIN;',
      'INSERT INTO devices VALUES (:drawn_0, :constant_1_1, :constant_1_2, :drawn_0, :constant_1_9);',
      'INSERT INTO credentials VALUES (:drawn_0, NULL);',
      'COMMIT;',
      '',
    ].join('\n'),
    constants: { constant_1_1: 'x', constant_1_2: '1', constant_1_9: 'ten' },
    statements: 4,
  });
});

test('registrations that ran different statements make no script', () => {
  expect(() => createScript(registration('a', 1), registration('b', 2).slice(0, 3))).toThrow(
    'different statements',
  );
});
