/** A LAN full of gateways as one meets it: mostly alike, with the oddities that were seen in the field. */
import { familyOfModel } from '@endorse/thingspro-edge';
import type { GatewayFault, GatewaySpec } from './spec.ts';
import { gatewayFaults } from './spec.ts';

/** Options of {@link describeFleet}. */
export interface FleetSpecOptions {
  /** How many gateways, 1 to 1,000; foreign devices come on top. */
  readonly count: number;
  /** Adds the oddities; default true. */
  readonly quirks?: boolean;
  /** What is wrong with which gateway, by its number from 0; default nothing. */
  readonly faults?: Readonly<Record<number, readonly GatewayFault[]>>;
  /** Port of every API, 0 for one of the system's choice; default 8443 with the exceptions of the field. */
  readonly port?: number;
  /** Second and third number of the loopback addresses, `127.x.y.…`; default 40 and 0. */
  readonly network?: readonly [number, number];
}

const models = ['AIG-301-T-US-AZU-LX', 'AIG-301-T-EU-AZU-LX', 'AIG-501-T-US-AZU-LX', 'AIG-302-T-US-AZU-LX'];

/** The placeholder that works leave in devices without a label. */
const placeholderSerial = 'IMOXA1234567';

/** Describes a fleet; the same options give the same fleet. */
export function describeFleet(options: FleetSpecOptions): readonly GatewaySpec[] {
  const { count, quirks = true, faults = {}, network = [40, 0] } = options;
  const ordinary = Array.from({ length: count }, (_, index) =>
    describeGateway(index, network, options.port ?? 8443, faults[index] ?? []),
  );
  if (!quirks) return ordinary;
  const odd = ordinary.map((spec, index) => ({
    ...spec,
    ...oddity(index, ordinary, options.port === undefined),
  }));
  return [...odd, foreignSwitch(network)];
}

/** Gives each of the last `broken` of `count` gateways a fault of its own kind, as far as there are kinds. */
export function breakSome(count: number, broken: number): Readonly<Record<number, readonly GatewayFault[]>> {
  return Object.fromEntries(
    Array.from({ length: broken }, (_, index) => {
      const fault = gatewayFaults[index % gatewayFaults.length];
      return [count - 1 - index, fault === undefined ? [] : [fault]];
    }),
  );
}

function describeGateway(
  index: number,
  network: readonly [number, number],
  port: number,
  faults: readonly GatewayFault[],
): GatewaySpec {
  const model = models[index % models.length] ?? '';
  const serialNumber = `TBBDB${(1_179_000 + index * 7).toString().padStart(7, '0')}`;
  return {
    serialNumber,
    announcedSerial: serialNumber,
    model,
    family: familyOfModel(model),
    vendor: 'Moxa',
    address: loopbackAddress(network, index),
    port,
    mac: `0090e8${(0x10_00_00 + index).toString(16).padStart(6, '0')}`,
    announcedAddresses: [loopbackAddress(network, index)],
    firmware: '1.6.0',
    faults,
  };
}

/** What is odd about the gateway with this number; most are not. */
function oddity(index: number, fleet: readonly GatewaySpec[], mayMovePort: boolean): Partial<GatewaySpec> {
  switch (index) {
    case 1:
      return mayMovePort ? { port: 8444 } : {};
    case 2:
      return mayMovePort ? { port: 443 } : {};
    case 3:
    case 4:
      // Two units that left the works without a serial number of their own.
      return { serialNumber: placeholderSerial, announcedSerial: placeholderSerial };
    case 5:
      return { mac: '000000000000' };
    case 6:
    case 7:
      return { mac: fleet[6]?.mac ?? '' };
    case 8:
      return { announcedSerial: (fleet[8]?.announcedSerial ?? '').toLowerCase() };
    case 9:
      return { announcedAddresses: ['10.42.0.7'] };
    case 10:
      return { announcedAddresses: ['192.168.127.253', '203.0.113.9'] };
    default:
      return {};
  }
}

/** A managed switch answers the same probe, with firmware text of its own kind. */
function foreignSwitch(network: readonly [number, number]): GatewaySpec {
  const address = `127.${network[0]}.${network[1] + 9}.250`;
  return {
    serialNumber: 'TAFFE0001021',
    announcedSerial: 'TAFFE0001021',
    model: 'IKS-G6824A-8GSFP-4GTXSFP-HV-HV',
    family: undefined,
    vendor: 'Moxa',
    address,
    port: 8443,
    mac: '0090e8fffffe',
    announcedAddresses: [address],
    firmware: 'V5.6 build 19062117',
    faults: [],
  };
}

function loopbackAddress([second, third]: readonly [number, number], index: number): string {
  return `127.${second}.${third + Math.floor(index / 200)}.${(index % 200) + 1}`;
}
