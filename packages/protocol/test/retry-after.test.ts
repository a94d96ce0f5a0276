/** Oracle: the examples of RFC 9110 sections 5.6.7 and 10.2.3, and Date's own rendering of HTTP dates. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capRetryAfter, formatRetryAfter, parseHttpDate, parseRetryAfter } from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const rfcTime = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('the three date forms of RFC 9110 5.6.7', () => {
  test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%s',
    (text) => {
      expect(parseHttpDate(text, rfcTime)).toBe(rfcTime);
      expect(parseRetryAfter(text, rfcTime - 30_000)).toBe(30_000);
    },
  );

  test('a two-digit year is the one no more than 50 years ahead', () => {
    const now = Date.UTC(2026, 0, 1);
    expect(parseHttpDate('Friday, 01-Jan-27 00:00:00 GMT', now)).toBe(Date.UTC(2027, 0, 1));
    expect(parseHttpDate('Saturday, 01-Jan-77 00:00:00 GMT', now)).toBe(Date.UTC(1977, 0, 1));
  });
});

test('the forms of RFC 9110 10.2.3', () => {
  const now = Date.UTC(1999, 11, 31, 23, 57, 59);
  expect(parseRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT', now)).toBe(120_000);
  expect(parseRetryAfter('120', now)).toBe(120_000);
});

test.each([
  ['0', 0],
  ['3', 3000],
  [' 3 ', 3000],
  ['9'.repeat(40), Number.MAX_SAFE_INTEGER],
])('%j means %i ms', (text, expected) => {
  expect(parseRetryAfter(text, 0)).toBe(expected);
});

test('a date in the past means now', () => {
  expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', rfcTime + 1)).toBe(0);
});

test.each([
  undefined,
  null,
  '',
  ' ',
  'soon',
  '-1',
  '3.5',
  '3, 3',
  '0x10',
  '1e3',
  '2019-01',
  'Sun, 06 Nov 1994 08:49:37 CET',
  'Sun, 06 Nov 1994 25:49:37 GMT',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'sun, 06 nov 1994 08:49:37 gmt',
  '1994-11-06T08:49:37Z',
  'x'.repeat(100),
])('%j is no hint', (text) => {
  expect(parseRetryAfter(text, 0)).toBeUndefined();
});

test('a hint is capped, and so is nothing else', () => {
  expect(capRetryAfter(10_000, 5000)).toBe(5000);
  expect(capRetryAfter(10, 5000)).toBe(10);
  expect(capRetryAfter(Number.MAX_SAFE_INTEGER)).toBe(300_000);
  expect(capRetryAfter(undefined, 5000)).toBeUndefined();
  expect(thrownBy(() => capRetryAfter(1, -1))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(thrownBy(() => capRetryAfter(1, Number.NaN))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
});

test('pauses are written in whole seconds, rounded up, and read back', () => {
  expect(formatRetryAfter(2001)).toBe('3');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seconds) => {
      expect(parseRetryAfter(formatRetryAfter(seconds * 1000), 0)).toBe(seconds * 1000);
    }),
  );
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(thrownBy(() => formatRetryAfter(bad))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  }
});

test('every date that Date prints is read', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      (date) => {
        expect(parseHttpDate(date.toUTCString(), 0)).toBe(Math.floor(date.getTime() / 1000) * 1000);
      },
    ),
  );
});

test('any text is a pause of 0 or more, or no hint', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 4e12 }), (text, nowMs) => {
      const pause = parseRetryAfter(text, nowMs);
      expect(pause === undefined || (Number.isFinite(pause) && pause >= 0)).toBe(true);
    }),
  );
});
