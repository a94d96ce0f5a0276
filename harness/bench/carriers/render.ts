import type { Headline } from '../bench.ts';
import { floorLimit } from '../bench.ts';
import type { Carrier } from '../support/carrier.ts';
import { carriers, carrierTitles } from '../support/carrier.ts';
import { count, headlineTable, ms, table } from '../tables.ts';
import type { EmulatorCpuFigures } from './emulator-cpu.ts';
import type { ExchangeFigures } from './exchange.ts';
import type { WireFigures } from './wire.ts';

/** Everything measured about the carriers, with symmetric keys: the one attestation that all of them carry. */
export interface CarrierFigures {
  readonly exchange: Readonly<Record<'amqp' | 'mqtt', ExchangeFigures>>;
  readonly emulator: Readonly<Record<Carrier, EmulatorCpuFigures>>;
  readonly wire: Readonly<Record<Carrier, Readonly<Record<'endorse' | 'official', WireFigures>>>>;
}

/** A row for each peer over each carrier. */
export function carrierHeadlines({ exchange }: CarrierFigures): readonly Headline[] {
  return (['amqp', 'mqtt'] as const).flatMap((carrier) => {
    const { wallMs, cpuMs, ...ratios } = exchange[carrier];
    const row = (figure: string, times: typeof wallMs, peer: 'bare' | 'official', by: number): Headline => ({
      figure,
      endorse: ms(times.endorse.median),
      peer: ms(times[peer].median),
      ratio: by,
    });
    const title = `Registration over ${carrierTitles[carrier]} against`;
    const bare = `${title} ${bareTitles[carrier]}`;
    const official = `${title} the official SDK`;
    return [
      { ...row(bare, wallMs, 'bare', ratios.endorseToBare), limit: floorLimit },
      row('… CPU time of the client', cpuMs, 'bare', ratios.cpuEndorseToBare),
      { ...row(official, wallMs, 'official', ratios.endorseToOfficial), limit: 1 },
      row('… CPU time of the client', cpuMs, 'official', ratios.cpuEndorseToOfficial),
    ];
  });
}

/** The library under each of our transports. */
export const bareTitles = { amqp: 'bare rhea', mqtt: 'bare mqtt.js' } as const;

/** Two tables: what the clients take, and what a registration costs by carrier. */
export function renderCarriers(figures: CarrierFigures): string {
  const { emulator, wire } = figures;
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
    headlineTable(carrierHeadlines(figures)),
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
  ].join('\n\n');
}

function bytes({ sentBytes, receivedBytes }: WireFigures): string {
  return `${count(sentBytes)} + ${count(receivedBytes)}`;
}
