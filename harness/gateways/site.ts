/** A site to provision: a fleet of gateways on loopback, and the provisioning service they will register with. */
import type { Emulator, EmulatorOptions } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { createHttpTransport } from '@endorse/transport-http';
import { freeUdpPort } from '../support/free-udp-port.ts';
import type { Fleet, FleetOptions } from './fleet.ts';
import { startFleet } from './fleet.ts';
import type { GatewaySpec } from './spec.ts';

/** Options of {@link startSite}. */
export interface SiteOptions extends Pick<FleetOptions, 'algorithm' | 'clock' | 'onEvent'> {
  readonly specs: readonly GatewaySpec[];
  /** UDP port of the responders; default one that is free. */
  readonly discoveryPort?: number;
  /** How the service is; default as it is by default. */
  readonly emulator?: EmulatorOptions;
}

/** A running site. */
export interface Site extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly fleet: Fleet;
  readonly discoveryPort: number;
  /** Switches everything off. */
  stop(): Promise<void>;
}

/** Starts the service, then the gateways. */
export async function startSite({
  specs,
  emulator: emulatorOptions,
  ...options
}: SiteOptions): Promise<Site> {
  const resources = new AsyncDisposableStack();
  try {
    const emulator = resources.use(await startEmulator(emulatorOptions));
    const discoveryPort = options.discoveryPort ?? (await freeUdpPort());
    const transport = createHttpTransport({ ca: emulator.caPem });
    const fleet = resources.use(await startFleet({ ...options, specs, discoveryPort, transport }));
    const stop = (): Promise<void> => resources.disposeAsync();
    return { emulator, fleet, discoveryPort, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}
