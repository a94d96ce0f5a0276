import { expect, test } from 'vitest';
import { carriers } from '../bench/carriers/carrier.ts';
import type { CarrierReport } from '../bench/carriers/report.ts';
import { renderCarrierReport } from '../bench/carriers/report.ts';
import { summarize } from '../bench/statistics.ts';

test('the figures of the carriers become a row for each peer and a row for each carrier', () => {
  const summaries = { endorse: summarize([12]), bare: summarize([10]), official: summarize([16]) };
  const exchange = {
    wallMs: summaries,
    cpuMs: summaries,
    endorseToBare: 1.2,
    endorseToOfficial: 0.75,
    cpuEndorseToBare: 1.21,
    cpuEndorseToOfficial: 0.76,
  };
  const wire = { connections: 1, sentBytes: 2345, receivedBytes: 6789, roundTrips: 8 };
  const byCarrier = <Value>(value: Value) =>
    Object.fromEntries(carriers.map((carrier) => [carrier, value])) as Record<
      (typeof carriers)[number],
      Value
    >;
  const report: CarrierReport = {
    machine: { node: 'v24.0.0', cpu: 'a CPU', cores: 2 },
    exchange: { amqp: exchange, mqtt: exchange },
    emulator: byCarrier({ cpuMsPerRegistration: 4.26, registrationsPerSecond: 200 }),
    wire: byCarrier({ endorse: wire, official: { ...wire, roundTrips: 11 } }),
  };
  const lines = renderCarrierReport(report).split('\n');
  expect(lines).toContain('| Registration over AMQP against bare rhea | 12 ms | 10 ms | 1.20 |');
  expect(lines).toContain('| Registration over MQTT against the official SDK | 12 ms | 16 ms | 0.75 |');
  expect(lines).toContain('| MQTT over WebSocket | 4.3 ms | 2,345 + 6,789 | 2,345 + 6,789 | 8 | 11 |');
  expect(lines.filter((line) => line.includes('4.3 ms'))).toHaveLength(carriers.length);
});
