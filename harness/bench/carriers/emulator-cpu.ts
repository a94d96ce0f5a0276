import type { EmulatorProcess } from '../support/emulator-process.ts';
import { runLoadClient } from '../support/load-task.ts';
import { summarize } from '../support/statistics.ts';
import type { Carrier } from '../support/carrier.ts';
import { carriers } from '../support/carrier.ts';

/** The emulator under load over one carrier; medians of the turns. */
export interface EmulatorCpuFigures {
  /** CPU time of the emulator for one registration, in milliseconds. */
  readonly cpuMsPerRegistration: number;
  readonly registrationsPerSecond: number;
}

/** Loads the emulator over each carrier in turn, from two processes with so many devices each, several times. */
export async function measureEmulatorCpu(
  emulator: EmulatorProcess,
  options: { readonly turns: number; readonly devices: number; readonly durationMs: number },
): Promise<Readonly<Record<Carrier, EmulatorCpuFigures>>> {
  const { turns, devices, durationMs } = options;
  const load = async (carrier: Carrier): Promise<EmulatorCpuFigures> => {
    const task = { kind: 'register', emulator: emulator.ready, carrier, devices, warmUpMs: 0 } as const;
    await emulator.takeUsage();
    const results = await Promise.all(
      [1, 2].map((part) => runLoadClient({ ...task, durationMs, firstDevice: (part - 1) * devices })),
    );
    const { cpuMs } = await emulator.takeUsage();
    const total = results.reduce((sum, result) => sum + result.total, 0);
    const perSecond = results.reduce((sum, result) => sum + result.perSecond, 0);
    return { cpuMsPerRegistration: cpuMs / total, registrationsPerSecond: perSecond };
  };
  const samples = Object.fromEntries(
    carriers.map((carrier) => [carrier, [] as EmulatorCpuFigures[]]),
  ) as Record<Carrier, EmulatorCpuFigures[]>;
  // The first turn compiles and optimises the emulator.
  for (let turn = -1; turn < turns; turn += 1) {
    for (const carrier of carriers) {
      const figures = await load(carrier);
      if (turn >= 0) samples[carrier].push(figures);
    }
  }
  const median = (carrier: Carrier, what: keyof EmulatorCpuFigures): number =>
    summarize(samples[carrier].map((figures) => figures[what])).median;
  return Object.fromEntries(
    carriers.map((carrier) => [
      carrier,
      {
        cpuMsPerRegistration: median(carrier, 'cpuMsPerRegistration'),
        registrationsPerSecond: median(carrier, 'registrationsPerSecond'),
      },
    ]),
  ) as Record<Carrier, EmulatorCpuFigures>;
}
