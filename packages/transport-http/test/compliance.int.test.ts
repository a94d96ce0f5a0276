import type { TransportFixture } from '@endorse/compliance/transport';
import {
  runDroppedConnectionCompliance,
  runTransportCompliance,
  startSilentHost,
} from '@endorse/compliance/transport';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { EnrolledDevices, PlannedFault } from '@endorse/testkit';
import { closedPort, enrollDevices, generateSoftwareTpmKeys, withFaults } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import { startPeer } from './support/peer.ts';

const keys = generateSoftwareTpmKeys();

runTransportCompliance('HTTP', () => setup());

runTransportCompliance('HTTP, every request slow, polls sent twice', () =>
  setup([
    { call: 'queryOperationStatus', fault: { kind: 'duplicate' } },
    { fault: { kind: 'slow', delayMs: 2 } },
  ]),
);

runTransportCompliance('HTTP, in pieces of 61 bytes', () => setup([], 61));

runDroppedConnectionCompliance('HTTP', async () => {
  const stack = new AsyncDisposableStack();
  const emulator = stack.use(await startEmulator());
  const { devices, dropNext } = stack.use(await enroll(emulator));
  return {
    transport: createHttpTransport({ ca: emulator.caPem }),
    devices,
    dropNext,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
});

/** The emulator for every attestation, and peers that hang at every stage. */
async function setup(faults: readonly PlannedFault[] = [], pieceBytes?: number): Promise<TransportFixture> {
  const stack = new AsyncDisposableStack();
  const emulator = stack.use(await startEmulator());
  const { devices } = stack.use(await enroll(emulator, pieceBytes));
  const silentTls = stack.use(await startPeer());
  const silentTcp = stack.use(await startSilentHost());
  const transport = createHttpTransport({ ca: [emulator.caPem, silentTls.ca] });
  return {
    transport: faults.length === 0 ? transport : withFaults(transport, faults),
    devices,
    silentHosts: [silentTcp, silentTls],
    refusingHost: `localhost:${await closedPort()}`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function enroll(emulator: Emulator, pieceBytes?: number): Promise<EnrolledDevices> {
  const { provisioningHost } = emulator;
  return enrollDevices(emulator, { provisioningHost, pieceBytes, tpmKeys: await keys });
}
