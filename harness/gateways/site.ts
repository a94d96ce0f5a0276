/** A site to provision: a fleet of gateways on loopback, and the provisioning service they will register with. */
import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { CarrierName } from '../demo/carriers.ts';
import { carriers } from '../demo/carriers.ts';
import { freeUdpPort } from '../support/free-udp-port.ts';
import type { Fleet, FleetOptions } from './fleet.ts';
import { startFleet } from './fleet.ts';
import type { GatewaySpec } from './spec.ts';

/** Options of {@link startSite}. */
export interface SiteOptions extends Pick<FleetOptions, 'algorithm' | 'tpm' | 'clock' | 'onEvent'> {
  readonly specs: readonly GatewaySpec[];
  /** UDP port of the responders; default one that is free. */
  readonly discoveryPort?: number;
  /** What gateways register over; default `http`. */
  readonly carrier?: CarrierName;
  /** How the service is; default as it is by default. */
  readonly emulator?: EmulatorOptions;
}

/** A running site. */
export interface Site extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly fleet: Fleet;
  readonly discoveryPort: number;
  /** What gateways have to be told: `https://host:port` of the service on their carrier. */
  readonly globalEndpoint: string;
  /** Switches everything off. */
  stop(): Promise<void>;
}

/** Starts the service, then the gateways. */
export async function startSite({
  specs,
  emulator: emulatorOptions,
  carrier = 'http',
  ...options
}: SiteOptions): Promise<Site> {
  const resources = new AsyncDisposableStack();
  try {
    const emulator = resources.use(await startEmulator(emulatorOptions));
    const discoveryPort = options.discoveryPort ?? (await freeUdpPort());
    const { createTransport, hostOf } = carriers[carrier];
    const transport = createTransport({ ca: emulator.caPem });
    const fleet = resources.use(await startFleet({ ...options, specs, discoveryPort, transport }));
    const stop = (): Promise<void> => resources.disposeAsync();
    const globalEndpoint = `https://${hostOf(emulator)}`;
    return { emulator, fleet, discoveryPort, globalEndpoint, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}
