import type { Bench, BenchContext } from '../bench.ts';
import { startEmulatorProcess } from '../support/emulator-process.ts';
import { installOfficial, installOurs } from '../support/projects.ts';
import { measureEmulatorCpu } from './emulator-cpu.ts';
import { measureExchange } from './exchange.ts';
import { plotCarriers } from './plots.ts';
import type { CarrierFigures } from './render.ts';
import { carrierHeadlines, renderCarriers } from './render.ts';
import { measureWire } from './wire.ts';

/** What a registration takes and costs by carrier. */
export const carriersBench: Bench<CarrierFigures> = {
  name: 'carriers',
  title: 'Registration by carrier',
  summary:
    'AMQP, MQTT, WebSockets and HTTPS: times, bytes, round trips, beside bare rhea, bare mqtt.js and the official SDK',
  tools: [],
  peers: [
    'rhea',
    'mqtt',
    'azure-iot-provisioning-device',
    'azure-iot-provisioning-device-amqp',
    'azure-iot-provisioning-device-http',
    'azure-iot-provisioning-device-mqtt',
  ],
  run: measure,
  tables: renderCarriers,
  headlines: carrierHeadlines,
  plots: plotCarriers,
};

async function measure({ size, say }: BenchContext): Promise<CarrierFigures> {
  const counts =
    size === 'quick'
      ? { rounds: 4, turns: 1, durationMs: 1_000, passages: 1 }
      : { rounds: 200, turns: 3, durationMs: 5_000, passages: 3 };
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
    amqp: await measureExchange('amqp', setting, counts),
    mqtt: await measureExchange('mqtt', setting, counts),
  };
  say('registering over every carrier from far away');
  const wire = await measureWire(setting, { rounds: counts.passages });
  say('loading the emulator over every carrier');
  const cpu = await measureEmulatorCpu(emulator, { ...counts, devices });
  return { exchange, emulator: cpu, wire };
}
