import type { EmulatorProcess } from '../support/emulator-process.ts';
import { startEmulatorProcess } from '../support/emulator-process.ts';
import type { LoadResult, LoadTask } from '../support/load-task.ts';
import { runLoadClient } from '../support/load-task.ts';

/** A result, and what it cost the emulator. */
export interface LoadFigure extends LoadResult {
  /** CPU time of the emulator by the time it took: 1 for a core that was always busy. */
  readonly emulatorCpuShare: number;
}

/** An emulator under load, by its storage. */
export interface StorageFigures {
  /** By carrier, then by the number of devices. */
  readonly registrations: Readonly<Record<'http' | 'amqp' | 'mqtt', Readonly<Record<string, LoadFigure>>>>;
  readonly enrollments: { readonly single: LoadFigure; readonly bulk: LoadFigure };
  readonly rssMiB: number;
}

/** Loads an emulator in memory and one on SQLite, cell by cell in turn, so that drift of the machine falls on both. */
export async function measureLoad(options: {
  readonly actors: string;
  readonly concurrency: readonly number[];
  readonly durationMs: number;
  readonly say: (text: string) => void;
}): Promise<{ readonly memory: StorageFigures; readonly sqlite: StorageFigures }> {
  const { actors, concurrency, durationMs, say } = options;
  const devices = Math.max(...concurrency);
  await using memory = await startEmulatorProcess({ actors, storage: 'memory', devices });
  await using sqlite = await startEmulatorProcess({ actors, storage: 'sqlite', devices });
  const [inMemory, onSqlite] = [collectFigures(memory), collectFigures(sqlite)];
  const timing = { warmUpMs: Math.min(2000, durationMs), durationMs };
  for (const carrier of ['http', 'amqp', 'mqtt'] as const) {
    for (const count of concurrency) {
      say(`  ${count} devices over ${carrier}`);
      for (const { registrations, run } of [inMemory, onSqlite]) {
        registrations[carrier][String(count)] = await run({
          kind: 'register',
          carrier,
          devices: count,
          ...timing,
        });
      }
    }
  }
  say('  enrollments');
  const enroll = { kind: 'enroll', connections: 16, ...timing } as const;
  const finish = async ({ registrations, run, emulator }: Collected): Promise<StorageFigures> => {
    const single = await run({ ...enroll, name: 'single' });
    const bulk = await run({ ...enroll, name: 'bulk', bulkSize: 10 });
    const { rssMiB } = await emulator.takeUsage();
    return { registrations, enrollments: { single, bulk }, rssMiB };
  };
  return { memory: await finish(inMemory), sqlite: await finish(onSqlite) };
}

type WithoutEmulator<Task> = Task extends LoadTask ? Omit<Task, 'emulator'> : never;

interface Collected {
  readonly emulator: EmulatorProcess;
  readonly registrations: Readonly<Record<'http' | 'amqp' | 'mqtt', Record<string, LoadFigure>>>;
  readonly run: (task: WithoutEmulator<LoadTask>) => Promise<LoadFigure>;
}

function collectFigures(emulator: EmulatorProcess): Collected {
  return {
    emulator,
    registrations: { http: {}, amqp: {}, mqtt: {} },
    run: (task) => runLoad(emulator, { ...task, emulator: emulator.ready }),
  };
}

async function runLoad(emulator: EmulatorProcess, task: LoadTask): Promise<LoadFigure> {
  await emulator.takeUsage();
  const startedAt = performance.now();
  const result = await runLoadClient(task);
  const wallMs = performance.now() - startedAt;
  const { cpuMs } = await emulator.takeUsage();
  return { ...result, emulatorCpuShare: cpuMs / wallMs };
}
