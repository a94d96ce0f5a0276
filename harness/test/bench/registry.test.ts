import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemTools } from '../../../scripts/lib/system-tools.mjs';
import { benches } from '../../bench/registry.ts';
import { readFixture } from './support.ts';

const folder = fileURLToPath(new URL('../../bench/', import.meta.url));
const page = readFileSync(new URL('../../../docs/benchmarks.md', import.meta.url), 'utf8');

test('every room with a bench is in the registry, under the name of the room', () => {
  const rooms = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/bench.ts`));
  expect(benches.map(({ name }) => name).toSorted()).toEqual(rooms.toSorted());
});

test.each(benches)('$name is explained in the documents and needs tools that can be provided', (bench) => {
  expect(page).toContain(`## ${bench.title}\n`);
  expect(page).toContain(`<!-- begin: bench-${bench.name} -->`);
  expect(page).toContain(`<!-- end: bench-${bench.name} -->`);
  expect(bench.summary).not.toBe('');
  expect(Object.keys(systemTools)).toEqual(expect.arrayContaining([...bench.tools]));
});

test.each(benches)(
  '$name draws plots that stand alone, and the same ones from the same figures',
  async (bench) => {
    const { figures } = await readFixture(bench);
    const plots = bench.plots(figures);
    expect(plots.length).toBeGreaterThan(0);
    expect(bench.plots(figures)).toEqual(plots);
    for (const { svg, alternative } of plots) {
      expect(svg.length).toBeLessThan(60_000);
      expect(svg).toMatch(/^<svg [^>]*><title id="title">[^<]+<\/title><desc id="description">[^<]+<\/desc>/);
      expect(svg).toContain('prefers-color-scheme:dark');
      expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
        /https?:|<script|url\(|@import|<image/,
      );
      expect(`${svg}${alternative}`).not.toMatch(/NaN|undefined|Infinity|null/);
    }
  },
);

test.each(benches)('$name renders tables without holes', async (bench) => {
  const { figures } = await readFixture(bench);
  const rows = bench
    .tables(figures)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  expect(rows.length).toBeGreaterThan(2);
  expect(rows.join('\n')).not.toMatch(/NaN|undefined|Infinity|null/);
});
