/**
 * How an emulator's core behaves as enrollments grow, in a process of its own: `memory`, or `sqlite` and a file.
 *
 * Prints a JSON line ({@link ScalePoint}) for each size, and a last one ({@link ScaleEnd}) at the largest.
 */
import { createMemoryStore, openSqliteStore } from '@endorse/emulator';
import type { EmulatorCore } from '@endorse/emulator/core';
import { createEmulatorCore } from '@endorse/emulator/core';
import { systemClock, systemRandom } from '@endorse/interface/node';
import { createSasToken, registrationResource } from '@endorse/protocol';
import { createHmac } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Summary } from '../support/statistics.ts';
import { summarize } from '../support/statistics.ts';
import type { ScaleEnd, ScalePoint } from './scale.ts';

const [kind, file = ':memory:', ...sizes] = process.argv.slice(2);
let { store, core, close } = openCore();
const key = Buffer.alloc(32, 7);
const sign = async (data: Uint8Array): Promise<Uint8Array> => createHmac('sha256', key).update(data).digest();
const expiresAt = Date.now() + 3_600_000;

let enrolled = 0;
for (const size of sizes.map(Number)) {
  const fill = createEnrollments(size);
  await settle();
  const registrations = await measureRegistrations(core, size);
  globalThis.gc?.();
  const point: ScalePoint = {
    enrollments: size,
    ...fill,
    registrationCpuUs: registrations.cpu,
    registrationUs: registrations.wall,
    ...memoryInUse(),
  };
  process.stdout.write(`${JSON.stringify(point)}\n`);
}
process.stdout.write(`${JSON.stringify(await measureQueries(core))}\n`);

function openCore() {
  const sqlite = kind === 'sqlite' ? openSqliteStore(file) : undefined;
  const opened = sqlite ?? createMemoryStore();
  return {
    store: opened,
    core: createEmulatorCore({ clock: systemClock, random: systemRandom, store: opened }),
    close: () => sqlite?.close(),
  };
}

/**
 * Comes back when what was written is where it stays: closing moves SQLite's log into the database, then the disk
 * confirms all of it. Otherwise the figures would be those of a disk that still writes hundreds of MiB.
 */
async function settle(): Promise<void> {
  if (kind !== 'sqlite') return;
  close();
  await using database = await open(file, 'r+');
  await database.sync();
  ({ store, core, close } = openCore());
}

function memoryInUse(): { readonly usedMiB: number; readonly rssMiB: number } {
  const { heapUsed, external, rss } = process.memoryUsage();
  return { usedMiB: (heapUsed + external) / 2 ** 20, rssMiB: rss / 2 ** 20 };
}

function createEnrollments(size: number): { readonly created: number; readonly createdPerSecond: number } {
  const startedAt = performance.now();
  const created = size - enrolled;
  while (enrolled < size) {
    // One step for many, so that the figure is the store's and not that of the disk.
    const end = Math.min(size, enrolled + 1000);
    store.transaction(() => {
      for (; enrolled < end; enrolled += 1) {
        core.createSymmetricKeyEnrollment({
          registrationId: `device-${enrolled}`,
          primaryKey: key,
          secondaryKey: key,
        });
      }
    });
  }
  return { created, createdPerSecond: (created * 1000) / (performance.now() - startedAt) };
}

/** Devices out of all of them register again, each its PUT and the poll that finds it assigned. */
async function measureRegistrations(
  { idScope, answerDevice }: EmulatorCore,
  size: number,
): Promise<{ readonly wall: Summary; readonly cpu: number }> {
  const count = 400;
  const devices = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const registrationId = `device-${Math.floor((index * size) / count)}`;
      const resource = registrationResource(idScope, registrationId);
      const token = await createSasToken({ resource, keyName: 'registration', expiresAt, sign });
      return { idScope, registrationId, credential: { kind: 'token', token: token.revealText() } } as const;
    }),
  );
  const durations: number[] = [];
  let before = process.cpuUsage();
  for (let round = 0; round < 6; round += 1) {
    // The first rounds are those in which a device is new, and code is compiled.
    if (round === 2) before = process.cpuUsage();
    for (const device of devices) {
      const startedAt = performance.now();
      const { response } = answerDevice('http', { operation: 'register', ...device });
      if (response?.outcome !== 'operation') throw new Error(`not accepted: ${JSON.stringify(response)}`);
      const { operationId } = response.operation;
      const done = answerDevice('http', { operation: 'query-operation', ...device, operationId }).response;
      if (done?.outcome !== 'operation' || done.operation.status !== 'assigned')
        throw new Error('not assigned');
      if (round >= 2) durations.push((performance.now() - startedAt) * 1000);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return { wall: summarize(durations), cpu: (user + system) / durations.length };
}

async function measureQueries({ collections, policies: [policy] }: EmulatorCore): Promise<ScaleEnd> {
  const policyKey = policy.primaryKey.reveal();
  const token = await createSasToken({
    resource: 'localhost',
    keyName: policy.name,
    expiresAt,
    sign: async (data) => createHmac('sha256', policyKey).update(data).digest(),
  });
  const page = (query: string, continuation?: string) => {
    const response = collections.handle({
      kind: 'query-enrollments',
      token: token.revealText(),
      maxItemCount: '1000',
      continuation,
      readBody: () => JSON.stringify({ query }),
    });
    if (response.outcome !== 'page') throw new Error(`no page: ${JSON.stringify(response)}`);
    return response;
  };
  const countRows = (query: string): number => {
    let rows = 0;
    let continuation: string | undefined;
    do {
      const answer = page(query, continuation);
      rows += answer.rows.length;
      ({ continuation } = answer);
    } while (continuation !== undefined);
    return rows;
  };
  const time = (call: () => unknown): number => {
    const startedAt = performance.now();
    call();
    return performance.now() - startedAt;
  };
  /** Median of several. */
  const timeOften = (call: () => unknown): number =>
    summarize(Array.from({ length: 9 }, () => time(call))).median;
  const expectRows = (query: string, expected: number): void => {
    const rows = countRows(query);
    if (rows !== expected) throw new Error(`${query}: ${rows} rows, not ${expected}`);
  };
  const everything = 'SELECT * FROM enrollments';
  const last = `device-${enrolled - 1}`;
  return {
    firstPageMs: timeOften(() => page(everything)),
    walkMs: time(() => expectRows(everything, enrolled)),
    findMs: timeOften(() => expectRows(`${everything} WHERE registrationId = '${last}'`, 1)),
    searchMs: time(() => expectRows(`${everything} WHERE attestation.type = 'tpm'`, 0)),
  };
}
