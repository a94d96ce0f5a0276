import * as Plot from '@observablehq/plot';
import type { PlotAxis, PlotText, Tone } from './frame.ts';
import { colourOf, framePlot, limitColour, scaleOf } from './frame.ts';

/** A line through points. */
export interface PlotSeries {
  readonly name: string;
  readonly tone: Tone;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** Lines, each with its name at its end; `limit` is a line across at a value of x. */
export function plotLines(
  text: PlotText,
  axes: { readonly x: PlotAxis; readonly y: PlotAxis },
  series: readonly PlotSeries[],
  limit?: { readonly x: number; readonly label: string },
): string {
  const all = series.flatMap(({ points }) => points);
  return framePlot(text, {
    height: 400,
    marginLeft: 76,
    marginRight: 24 + Math.max(...series.map(({ name }) => name.length)) * 8,
    marginBottom: 54,
    x: scaleOf(axes.x, [...all.map(({ x }) => x), ...(limit === undefined ? [] : [limit.x])]),
    y: {
      ...scaleOf(
        axes.y,
        all.map(({ y }) => y),
      ),
      labelOffset: 60,
    },
    marks: [
      ...(limit === undefined
        ? []
        : [
            Plot.ruleX([limit.x], { stroke: limitColour, strokeWidth: 2 }),
            Plot.text([limit], {
              x: 'x',
              frameAnchor: 'top',
              textAnchor: 'end',
              dx: -6,
              dy: 6,
              text: 'label',
              fill: limitColour,
              fontWeight: 600,
            }),
          ]),
      ...series.flatMap(({ name, tone, points }) => [
        Plot.line(points, {
          x: 'x',
          y: 'y',
          stroke: colourOf(tone),
          strokeWidth: 2.5,
        }),
        ...(points.length > 20 ? [] : [Plot.dot(points, { x: 'x', y: 'y', fill: colourOf(tone), r: 3.5 })]),
        Plot.text(points.slice(-1), {
          x: 'x',
          y: 'y',
          text: () => name,
          fill: colourOf(tone),
          textAnchor: 'start',
          dx: 10,
          fontWeight: 600,
        }),
      ]),
    ],
  });
}
