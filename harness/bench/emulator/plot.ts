import type { ScaleFigures } from './scale.ts';

/** The cost of a registration over the number of enrollments, as SVG: logarithmic to the right, from zero up. */
export function plotScale(scale: { readonly memory: ScaleFigures; readonly sqlite: ScaleFigures }): string {
  const series = [
    { name: 'SQLite', colour: '#b3541e', points: scale.sqlite.points },
    { name: 'in memory', colour: '#1e6fb3', points: scale.memory.points },
  ];
  const all = series.flatMap(({ points }) => points);
  const mostEnrollments = Math.max(...all.map(({ enrollments }) => enrollments));
  const top = niceCeiling(Math.max(...all.map(({ registrationCpuUs }) => registrationCpuUs)));
  const x = (enrollments: number): number =>
    left + (Math.log10(enrollments) / Math.log10(mostEnrollments)) * (right - left);
  const y = (microseconds: number): number => bottom - (microseconds / top) * (bottom - upper);
  const ticks = Array.from(
    { length: Math.round(Math.log10(mostEnrollments)) + 1 },
    (_, power) => 10 ** power,
  );
  const levels = Array.from({ length: 6 }, (_, index) => (top / 5) * index);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Cost of a registration over the number of enrollments</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...levels.flatMap((level) => [
      `<line x1="${left}" y1="${y(level)}" x2="${right}" y2="${y(level)}" stroke="#dddddd"/>`,
      `<text x="${left - 8}" y="${y(level) + 4}" text-anchor="end" fill="#444444">${Math.round(level)} µs</text>`,
    ]),
    ...ticks.map(
      (tick) =>
        `<text x="${x(tick)}" y="${bottom + 20}" text-anchor="middle" fill="#444444">${tick.toLocaleString('en-US')}</text>`,
    ),
    `<text x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle" fill="#444444">enrollments</text>`,
    `<text x="${left}" y="20" fill="#222222">CPU time of a registration (register and poll) without a carrier</text>`,
    ...series.flatMap(({ name, colour, points }) => {
      const path = points.map(
        (point) => `${round(x(point.enrollments))},${round(y(point.registrationCpuUs))}`,
      );
      const last = points.at(-1);
      return [
        `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...path.map(
          (place) =>
            `<circle cx="${place.split(',')[0]}" cy="${place.split(',')[1]}" r="3" fill="${colour}"/>`,
        ),
        `<text x="${right + 10}" y="${round(y(last?.registrationCpuUs ?? 0)) + 4}" fill="${colour}">${name}</text>`,
      ];
    }),
    '</svg>\n',
  ].join('\n');
}

const width = 720;
const height = 320;
const left = 70;
const right = 620;
const upper = 40;
const bottom = 260;

function niceCeiling(value: number): number {
  const step = 10 ** Math.floor(Math.log10(value)) / 2;
  return Math.ceil(value / step) * step;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
