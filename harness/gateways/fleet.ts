/** Many gateways in one process. */
import type { Clock, Transport } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { SoftwareTpmAlgorithm, TestAuthority } from '@endorse/testkit';
import { createTestAuthority } from '@endorse/testkit';
import type { DeviceEvent } from './device.ts';
import type { SimulatedGateway } from './gateway.ts';
import { startGateway } from './gateway.ts';
import { createSimulatorGatewayTpm, createSoftwareGatewayTpm } from './gateway-tpm.ts';
import type { GatewaySpec } from './spec.ts';

/** Options of {@link startFleet}. */
export interface FleetOptions {
  readonly specs: readonly GatewaySpec[];
  /** UDP port of the responders. */
  readonly discoveryPort: number;
  /** Carrier to the provisioning service. */
  readonly transport: Transport;
  /** Kind of the endorsement keys; default `rsa`, as gateways have. `ecc` is made in no time. */
  readonly algorithm?: SoftwareTpmAlgorithm;
  /** What the TPMs are: in software, or an swtpm each. Default `software`. */
  readonly tpm?: 'software' | 'swtpm';
  readonly clock?: Clock;
  readonly onEvent?: (gateway: GatewaySpec, event: DeviceEvent) => void;
}

/** A running fleet. */
export interface Fleet extends AsyncDisposable {
  /** Signed the certificates; issues further ones. Nobody trusts it. */
  readonly authority: TestAuthority;
  /** In the order of the specs. */
  readonly gateways: readonly SimulatedGateway[];
  /** Waits until every TPM has its keys, which takes a while for RSA. */
  keysReady(): Promise<void>;
  /** Switches everything off. */
  stop(): Promise<void>;
}

/** Switches a fleet on. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const {
    specs,
    discoveryPort,
    transport,
    algorithm,
    tpm = 'software',
    clock = systemClock,
    onEvent = () => undefined,
  } = options;
  const authority = createTestAuthority();
  const makeTpm = tpm === 'swtpm' ? createSimulatorGatewayTpm : () => createSoftwareGatewayTpm(algorithm);
  const world = { clock, authority, discoveryPort, transport, makeTpm, onEvent };
  const gateways: SimulatedGateway[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  };
  try {
    for (const spec of specs) gateways.push(await startGateway(spec, world));
  } catch (error) {
    await stop();
    throw error;
  }
  const keysReady = async (): Promise<void> => {
    for (const gateway of gateways) if (gateway.device !== undefined) await gateway.tpm.endorsementKey();
  };
  return { authority, gateways, keysReady, stop, [Symbol.asyncDispose]: stop };
}
