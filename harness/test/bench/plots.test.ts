/** Oracle: the positions of marks, computed here from the ticks that the plot itself has drawn and labelled. */
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { plotLines } from '../../bench/plots/lines.ts';
import { plotRows } from '../../bench/plots/rows.ts';
import { summarize } from '../../bench/support/statistics.ts';

const text = { title: 'A < B', note: 'less is better', description: 'ours 20, theirs 10' };
const series = summarize(Array.from({ length: 101 }, (_, index) => index));

test('a series is a dot at its median and a line from its 5th to its 95th percentile; the limit is a tick', () => {
  const svg = plotRows(text, { label: 'milliseconds', format: (value) => `${value} ms` }, [
    {
      heading: 'ours and theirs',
      rows: [
        { who: 'Endorse', tone: 'endorse', value: series },
        { who: 'peer', tone: 'peer', value: 40 },
      ],
      limit: { value: 60, label: 'limit' },
    },
  ]);
  const at = scaleOf(svg, 'x');
  const [line] = marks(svg, 'rule', 'line');
  const [dot] = marks(svg, 'dot', 'circle');
  const [bar] = marks(svg, 'bar', 'rect');
  const [limit] = marks(svg, 'tick', 'line');
  expect(number(line, 'x1')).toBeCloseTo(at(5), 1);
  expect(number(line, 'x2')).toBeCloseTo(at(95), 1);
  expect(number(dot, 'cx')).toBeCloseTo(at(50), 1);
  expect(dot?.getAttribute('fill')).toBe('var(--endorse)');
  expect(number(bar, 'width')).toBeCloseTo(at(40) - at(0), 1);
  expect(bar?.getAttribute('fill')).toBe('var(--peer)');
  expect(number(limit, 'x1')).toBeCloseTo(at(60), 1);
  expect(texts(svg)).toEqual(
    expect.arrayContaining(['A < B', 'Endorse', '50 ms', 'peer', '40 ms', 'limit', 'milliseconds']),
  );
});

test('a logarithmic axis has whole powers of ten around what is drawn', () => {
  const axis = { label: 'milliseconds', format: String, logarithmic: true };
  const svg = plotRows(text, axis, [
    {
      heading: 'wide',
      rows: [{ who: 'Endorse', tone: 'endorse', value: { ...series, p5: 3, median: 30, p95: 200 } }],
    },
  ]);
  expect(ticksOf(svg, 'x').map(({ label }) => label)).toEqual(['1', '10', '100', '1,000']);
});

test('a line goes through its points and has its name at its end', () => {
  const points = [0, 10, 20].map((x) => ({ x, y: 5 * x }));
  const axes = { x: { label: 'enrollments' }, y: { label: 'microseconds' } };
  const svg = plotLines(text, axes, [{ name: 'SQLite', tone: 'second', points }]);
  const [atX, atY] = [scaleOf(svg, 'x'), scaleOf(svg, 'y')];
  const dots = marks(svg, 'dot', 'circle');
  expect(dots).toHaveLength(3);
  for (const [index, { x, y }] of points.entries()) {
    expect(number(dots[index], 'cx')).toBeCloseTo(atX(x), 1);
    expect(number(dots[index], 'cy')).toBeCloseTo(atY(y), 1);
  }
  expect(texts(svg)).toEqual(expect.arrayContaining(['SQLite', 'enrollments', 'microseconds']));
});

interface DrawnElement {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}

function select(svg: string, selector: string): readonly DrawnElement[] {
  // The types of linkedom want the DOM's, which the compiler does not have here.
  const { document } = parseHTML(`<!doctype html><body>${svg}</body>`) as unknown as {
    readonly document: { querySelectorAll(selector: string): Iterable<DrawnElement> };
  };
  return [...document.querySelectorAll(selector)];
}

function marks(svg: string, mark: string, element: string): readonly DrawnElement[] {
  return select(svg, `g[aria-label="${mark}"] ${element}`);
}

function texts(svg: string): readonly (string | null)[] {
  return select(svg, 'text').map(({ textContent }) => textContent);
}

function number(element: DrawnElement | undefined, attribute: string): number {
  return Number(element?.getAttribute(attribute));
}

function ticksOf(svg: string, axis: 'x' | 'y'): readonly { readonly label: string; readonly at: number }[] {
  return marks(svg, `${axis}-axis tick label`, 'text').map((tick) => {
    const [x = '', y = ''] =
      /translate\(([^)]+)\)/.exec(tick.getAttribute('transform') ?? '')?.[1]?.split(',') ?? [];
    return { label: tick.textContent ?? '', at: Number(axis === 'x' ? x : y) };
  });
}

/** Where a value lies on a linear axis, from its first and its last tick. */
function scaleOf(svg: string, axis: 'x' | 'y'): (value: number) => number {
  const ticks = ticksOf(svg, axis);
  const [first, last] = [ticks[0], ticks.at(-1)];
  if (first === undefined || last === undefined) throw new Error('no ticks');
  const valueOf = ({ label }: { readonly label: string }): number => Number(label.replaceAll(',', ''));
  const perUnit = (last.at - first.at) / (valueOf(last) - valueOf(first));
  return (value) => first.at + (value - valueOf(first)) * perUnit;
}
