import * as Plot from '@observablehq/plot';
import type { Summary } from '../support/statistics.ts';
import type { PlotAxis, PlotText, Tone } from './frame.ts';
import { colourOf, framePlot, ink, limitColour, muted, paper, scaleOf } from './frame.ts';

/** Who is compared under one heading. */
export interface PlotGroup {
  readonly heading: string;
  /** Ours first. */
  readonly rows: readonly PlotRow[];
  /** The value on the axis that ours should not be above. */
  readonly limit?: { readonly value: number; readonly label: string };
}

/** One line of a plot: a series, or a single number. */
export interface PlotRow {
  readonly who: string;
  readonly tone: Tone;
  readonly value: number | Summary;
}

/** The axis, and how a number is written beside its row. */
export interface RowAxis extends PlotAxis {
  readonly format: (value: number) => string;
}

/** Rows under headings. A series is a dot at its median and a line from the 5th to the 95th percentile; a number is a bar from zero. */
export function plotRows(text: PlotText, axis: RowAxis, groups: readonly PlotGroup[]): string {
  const lines = groups.map(({ heading, rows, limit }, index) => ({
    heading: { key: `heading ${index}`, text: heading },
    rows: rows.map((row, place) => ({ ...row, ...spanOf(row), key: `row ${index} ${place}` })),
    limits: limit === undefined ? [] : [{ ...limit, key: `row ${index} 0`, labelKey: `heading ${index}` }],
  }));
  const rows = lines.flatMap((line) => line.rows);
  const limits = lines.flatMap((line) => line.limits);
  const keys = lines.flatMap((line) => [line.heading.key, ...line.rows.map(({ key }) => key)]);
  const values = [
    ...rows.flatMap(({ low, high }) => (axis.logarithmic === true ? [low, high] : [high])),
    ...limits.map(({ value }) => value),
  ];
  return framePlot(text, {
    height: marginAround + keys.length * rowHeight,
    marginLeft: Math.max(96, 20 + Math.max(...rows.map(({ who }) => who.length)) * 7),
    marginRight: 84,
    marginBottom: 52,
    x: scaleOf(axis, values),
    y: { type: 'band', domain: keys, axis: null, padding: 0.2 },
    marks: [
      ...spans(rows),
      Plot.tickX(limits, {
        y: 'key',
        x: 'value',
        stroke: limitColour,
        strokeWidth: 2,
        insetTop: -4,
        insetBottom: -1,
      }),
      Plot.text(limits, { ...bold, y: 'labelKey', x: 'value', text: 'label', fill: limitColour, dy: 2 }),
      Plot.text(rows, { y: 'key', text: 'who', frameAnchor: 'left', textAnchor: 'end', dx: -10 }),
      Plot.text(rows, {
        ...bold,
        y: 'key',
        x: 'high',
        text: ({ centre }: Span) => axis.format(centre),
        textAnchor: 'start',
        dx: 9,
        fill: ink,
        stroke: paper,
        strokeWidth: 4,
      }),
      Plot.text(
        lines.map(({ heading }) => heading),
        {
          ...bold,
          y: 'key',
          text: 'text',
          frameAnchor: 'left',
          textAnchor: 'start',
          fill: muted,
          dx: 2,
          dy: 2,
        },
      ),
    ],
  });
}

/** Bars for numbers, lines with a dot for series. */
function spans(rows: readonly (PlotRow & Span)[]): readonly Plot.Markish[] {
  const series = rows.filter(({ value }) => typeof value !== 'number');
  const numbers = rows.filter(({ value }) => typeof value === 'number');
  const colour = ({ tone }: PlotRow): string => colourOf(tone);
  return [
    Plot.barX(numbers, { y: 'key', x1: 0, x2: 'centre', fill: colour, insetTop: 3, insetBottom: 3 }),
    Plot.ruleY(series, {
      y: 'key',
      x1: 'low',
      x2: 'high',
      stroke: colour,
      strokeWidth: 4,
      strokeOpacity: 0.45,
      strokeLinecap: 'round',
    }),
    Plot.dot(series, { y: 'key', x: 'centre', fill: colour, r: 5 }),
  ];
}

const bold = { fontWeight: 600 } as const;
const rowHeight = 26;
/** Above and below the rows. */
const marginAround = 116;

interface Span {
  readonly low: number;
  readonly centre: number;
  readonly high: number;
}

function spanOf({ value }: PlotRow): Span {
  return typeof value === 'number'
    ? { low: 0, centre: value, high: value }
    : { low: value.p5, centre: value.median, high: value.p95 };
}
