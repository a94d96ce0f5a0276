/**
 * `npm run bench -- --registrar`: registrations on PostgreSQL beside pgbench, tokens beside bare jose, idle connections.
 *
 * Prints JSON to `reports/bench/registrar.json` and a table to standard output. Needs PostgreSQL, which
 * `npm run test:system` provides.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureIdleConnections } from './idle-connections.ts';
import { measureRegistrations } from './registrations.ts';
import { measureTokenVerification } from './token-verification.ts';

/** Measures, prints and writes the figures of the registrar. */
export async function benchRegistrar({ quick }: { readonly quick: boolean }): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say('verifying tokens, beside bare jose');
  const tokens = await measureTokenVerification(
    quick ? { rounds: 3, tokens: 100 } : { rounds: 15, tokens: 400 },
  );
  say('opening idle connections');
  const idle = await measureIdleConnections(quick ? 100 : 1_000);
  say('registering devices on PostgreSQL with four processes, beside pgbench');
  const registrations = await measureRegistrations(
    quick ? { turns: 1, turnMs: 2_000, lanes: 32 } : { turns: 5, turnMs: 6_000, lanes: 32 },
  );
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
  const report = { machine, registrations, tokens, idle };
  const directory = fileURLToPath(new URL('../../reports/bench/', import.meta.url));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'registrar.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const rows: readonly (readonly string[])[] = [
    ['Figure', 'Endorse', 'Peer', 'Ratio'],
    ['---', '---:', '---:', '---:'],
    [
      'Registrations a second, PostgreSQL, four processes, load from the same machine; against plain inserts of pgbench',
      String(Math.round(registrations.perSecond)),
      String(Math.round(registrations.insertsPerSecond)),
      registrations.share.toFixed(3),
    ],
    [
      '… time of one, median, 99th percentile',
      `${Math.round(registrations.medianMs)} ms, ${Math.round(registrations.p99Ms)} ms`,
      '',
      '',
    ],
    ...tokens.map(({ algorithm, endorseMicroseconds, joseMicroseconds, ratio }) => [
      `Verification of a token, ${algorithm}, against bare jose`,
      `${Math.round(endorseMicroseconds)} µs`,
      `${Math.round(joseMicroseconds)} µs`,
      ratio.toFixed(2),
    ]),
    [
      `Memory of an idle TLS connection, of ${idle.connections}`,
      `${idle.kibibytesEach.toFixed(1)} KiB`,
      '',
      '',
    ],
  ];
  process.stdout.write(`${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`);
}
