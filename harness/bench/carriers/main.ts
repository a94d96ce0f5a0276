/** `npm run bench -- --carriers`: what a registration takes and costs by carrier; a part of every `npm run bench`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startEmulatorProcess } from '../emulator/emulator-process.ts';
import { installOfficial, installOurs } from '../projects.ts';
import { updateReadme } from '../update-readme.ts';
import { measureEmulatorCpu } from './emulator-cpu.ts';
import { measureExchange } from './exchange.ts';
import type { CarrierReport } from './report.ts';
import { renderCarrierReport } from './report.ts';
import { measureWire } from './wire.ts';

/** Measures and reports: JSON to `reports/bench/carriers.json`, tables to standard output and, if wanted, to README.md. */
export async function benchCarriers(options: {
  readonly quick: boolean;
  readonly updateReadme: boolean;
  readonly say: (text: string) => void;
}): Promise<void> {
  const size = options.quick
    ? { rounds: 4, turns: 1, durationMs: 1_000, passages: 1 }
    : { rounds: 200, turns: 3, durationMs: 5_000, passages: 3 };
  const report = await measure(size, options.say);
  const directory = fileURLToPath(new URL('../../../reports/bench/', import.meta.url));
  await mkdir(directory, { recursive: true });
  await writeFile(`${directory}carriers.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  const tables = renderCarrierReport(report);
  process.stdout.write(`${tables}\n`);
  if (options.updateReadme) await updateReadme('bench-carriers', tables);
}

async function measure(
  size: {
    readonly rounds: number;
    readonly turns: number;
    readonly durationMs: number;
    readonly passages: number;
  },
  say: (text: string) => void,
): Promise<CarrierReport> {
  await using resources = new AsyncDisposableStack();
  say('installing what the carriers need, ours and the official, each into an empty project');
  const ours = resources.use(
    await installOurs([
      '@endorse/emulator',
      '@endorse/interface',
      '@endorse/registration-core',
      '@endorse/security-symmetric-key',
      '@endorse/transport-amqp',
      '@endorse/transport-http',
      '@endorse/transport-mqtt',
    ]),
  );
  const official = resources.use(
    await installOfficial([
      'azure-iot-provisioning-device',
      'azure-iot-provisioning-device-amqp',
      'azure-iot-provisioning-device-http',
      'azure-iot-provisioning-device-mqtt',
      'azure-iot-security-symmetric-key',
    ]),
  );
  const devices = 4;
  const emulator = resources.use(
    await startEmulatorProcess({ actors: ours.actors, storage: 'memory', devices: 2 * devices }),
  );
  const setting = { ours, official, emulator: emulator.ready };
  say('registering over AMQP and MQTT with each client in turn');
  const exchange = {
    amqp: await measureExchange('amqp', setting, size),
    mqtt: await measureExchange('mqtt', setting, size),
  };
  say('registering over every carrier from far away');
  const wire = await measureWire(setting, { rounds: size.passages });
  say('loading the emulator over every carrier');
  const cpu = await measureEmulatorCpu(emulator, { ...size, devices });
  return {
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    exchange,
    emulator: cpu,
    wire,
  };
}
