import type { Carrier } from './carrier.ts';
import { carriers, carrierTitles } from './carrier.ts';
import type { EmulatorCpuFigures } from './emulator-cpu.ts';
import type { ExchangeFigures } from './exchange.ts';
import type { WireFigures } from './wire.ts';

/** Everything one run measured about the carriers, with symmetric keys: the one attestation that all of them carry. */
export interface CarrierReport {
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
  readonly exchange: Readonly<Record<'amqp' | 'mqtt', ExchangeFigures>>;
  readonly emulator: Readonly<Record<Carrier, EmulatorCpuFigures>>;
  readonly wire: Readonly<Record<Carrier, Readonly<Record<'endorse' | 'official', WireFigures>>>>;
}

/** The figures as two Markdown tables: what the clients take, and what a registration costs by carrier. */
export function renderCarrierReport({ machine, exchange, emulator, wire }: CarrierReport): string {
  const { node, cpu, cores } = machine;
  const exchangeRows = (['amqp', 'mqtt'] as const).flatMap((carrier) => {
    const { wallMs, cpuMs, ...ratios } = exchange[carrier];
    const title = `Registration over ${carrierTitles[carrier]} against`;
    const cpuTitle = '… CPU time of the client';
    const peer = { amqp: 'bare rhea', mqtt: 'bare mqtt.js' }[carrier];
    return [
      [`${title} ${peer}`, ms(wallMs.endorse.median), ms(wallMs.bare.median), ratio(ratios.endorseToBare)],
      [cpuTitle, ms(cpuMs.endorse.median), ms(cpuMs.bare.median), ratio(ratios.cpuEndorseToBare)],
      [
        `${title} the official SDK`,
        ms(wallMs.endorse.median),
        ms(wallMs.official.median),
        ratio(ratios.endorseToOfficial),
      ],
      [cpuTitle, ms(cpuMs.endorse.median), ms(cpuMs.official.median), ratio(ratios.cpuEndorseToOfficial)],
    ];
  });
  const carrierRows = carriers.map((carrier) => {
    const { endorse, official } = wire[carrier];
    return [
      carrierTitles[carrier],
      ms(emulator[carrier].cpuMsPerRegistration),
      bytes(endorse),
      bytes(official),
      String(endorse.roundTrips),
      String(official.roundTrips),
    ];
  });
  return [
    table(['Figure', 'Endorse', 'Peer', 'Ratio'], exchangeRows),
    table(
      [
        'A registration over',
        'CPU of the emulator',
        'Bytes sent + received',
        'official SDK',
        'Round trips',
        'official SDK',
      ],
      carrierRows,
    ),
    `With a symmetric key, a connection for each registration and \`Retry-After\` 0; medians of one run on ${cores} cores (${cpu}), Node.js ${node}, the clients taking turns registration by registration. Most of the official SDK's wall time is waiting: it leaves Nagle's algorithm on, so its small writes wait for delayed acknowledgements, 40 ms each; CPU time has none of that. CPU of the emulator: under load from two other processes. Bytes: TLS included, with the whole handshake. Round trips: how often the caller waits for the service, TCP's own included.`,
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function bytes({ sentBytes, receivedBytes }: WireFigures): string {
  return `${sentBytes.toLocaleString('en-US')} + ${receivedBytes.toLocaleString('en-US')}`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function ratio(value: number): string {
  return value.toFixed(2);
}
