import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Bench } from '../../bench/bench.ts';
import { benches } from '../../bench/registry.ts';
import { updateDocs, updateReadme } from '../../bench/runner/documents.ts';
import { makeCheckout, readFixture, readTree } from './support.ts';

test('the README gets one table of all benches, where it has the section for it', async () => {
  await using checkout = await makeCheckout();
  await updateReadme(benches, checkout);
  const text = await readFile(join(checkout.root, 'README.md'), 'utf8');
  expect(text).toMatch(
    /^# Head\n\n<!-- begin: bench -->\n\n\| Figure \| Endorse \| Peer \| Ratio \| Limit \|\n/,
  );
  expect(text).toMatch(/\n\n<!-- end: bench -->\n\nTail\n$/);
  expect(text).not.toContain('old figures');
  // Written down by hand from the fixtures.
  expect(text).toContain('| Registration over AMQP against bare rhea | 11 ms | 10 ms | 1.16 | 1.30 |\n');
  expect(text).toContain(
    '| Verification of a registration token, ES256, against bare jose | 319 µs | 240 µs | 1.33 |  |\n',
  );
  expect(text).toContain('on 2 cores (a CPU), 8 GiB, linux 6.0, Node.js v24.0.0.');
  expect(text).toMatch(/With .*jose 6\./);
});

test('the page of the benchmarks gets tables and plots of the named benches, and of no other', async () => {
  await using checkout = await makeCheckout();
  const images = join(checkout.root, 'docs/images');
  await writeFile(join(images, 'bench-tokens-of-old.svg'), '<svg/>');
  await updateDocs([benchOf('tokens')], checkout);
  const [plot] = benchOf('tokens').plots((await readFixture(benchOf('tokens'))).figures);
  const page = await readFile(join(checkout.root, 'docs/benchmarks.md'), 'utf8');
  expect(page).toContain(
    `<!-- begin: bench-tokens -->\n\n![${plot?.alternative}](images/bench-tokens-verification.svg)\n\n|`,
  );
  expect(page.match(/old figures/g)).toHaveLength(benches.length - 1);
  expect([...(await readTree(images))]).toEqual(
    expect.arrayContaining([
      [join(images, 'bench-tokens-verification.svg'), plot?.svg],
      [join(images, 'other.svg'), '<svg/>'],
    ]),
  );
  expect(await readTree(images)).toHaveProperty('size', 2);
});

test.each<[string, string, (file: string) => Promise<void>]>([
  ['missing', 'there is no report of fleet', (file) => rm(file)],
  ['one of --quick', 'the report of fleet is one of --quick', (file) => edit(file, '"full"', '"quick"')],
  [
    'of another machine',
    'fleet was measured on another machine',
    (file) => edit(file, 'a CPU', 'another CPU'),
  ],
])('the README stays as it is when a report is %s', async (_, reason, spoil) => {
  await using checkout = await makeCheckout();
  await spoil(join(checkout.reports, 'fleet.json'));
  const before = await readTree(checkout.root);
  await expect(updateReadme(benches, checkout)).rejects.toThrow(reason);
  expect(await readTree(checkout.root)).toEqual(before);
});

function benchOf(name: string): Bench<unknown> {
  const bench = benches.find((candidate) => candidate.name === name);
  if (bench === undefined) throw new Error(`no bench is called ${name}`);
  return bench;
}

async function edit(file: string, from: string, to: string): Promise<void> {
  await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
}
