/** Many gateways in one process. */
import type { Clock, Transport } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { SoftwareTpmAlgorithm, SoftwareTpmKeys, TestAuthority } from '@endorse/testkit';
import { createTestAuthority, generateSoftwareTpmKeys } from '@endorse/testkit';
import type { DeviceEvent } from './device.ts';
import type { SimulatedGateway } from './gateway.ts';
import { startGateway } from './gateway.ts';
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
    clock = systemClock,
    onEvent = () => undefined,
  } = options;
  const authority = createTestAuthority();
  const makeKeys = keyMaker(algorithm);
  const foreignKeys = makeKeys();
  const tpms = specs.map(() => makeKeys());
  const gateways: SimulatedGateway[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  };
  try {
    for (const [index, spec] of specs.entries()) {
      const tpmKeys = tpms[index] as () => Promise<SoftwareTpmKeys>;
      const world = { clock, authority, discoveryPort, transport, tpmKeys, foreignKeys, onEvent };
      gateways.push(await startGateway(spec, world));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const keysReady = async (): Promise<void> => {
    for (const [index, { family }] of specs.entries()) if (family !== undefined) await tpms[index]?.();
  };
  return { authority, gateways, keysReady, stop, [Symbol.asyncDispose]: stop };
}

/** Keys are made when they are first asked for, and then stay. */
function keyMaker(algorithm: SoftwareTpmAlgorithm | undefined): () => () => Promise<SoftwareTpmKeys> {
  return () => {
    let keys: Promise<SoftwareTpmKeys> | undefined;
    return () => (keys ??= generateSoftwareTpmKeys(algorithm));
  };
}
