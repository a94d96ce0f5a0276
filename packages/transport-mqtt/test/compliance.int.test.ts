import type { TransportFixture } from '@endorse/compliance/transport';
import {
  runDroppedConnectionCompliance,
  runTransportCompliance,
  startSilentHost,
} from '@endorse/compliance/transport';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { EnrolledDevices, PlannedFault } from '@endorse/testkit';
import { closedPort, enrollDevices, startTlsPeer, withFaults } from '@endorse/testkit';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { describe } from 'vitest';

describe.each([
  ['MQTT', false],
  ['MQTT over WebSockets', true],
])('%s', (name, webSocket) => {
  runTransportCompliance(name, () => setup(webSocket));

  runTransportCompliance(`${name}, every request slow, polls sent twice`, () =>
    setup(webSocket, [
      { call: 'queryOperationStatus', fault: { kind: 'duplicate' } },
      { fault: { kind: 'slow', delayMs: 2 } },
    ]),
  );

  runTransportCompliance(`${name}, in pieces of 61 bytes`, () => setup(webSocket, [], 61));

  runDroppedConnectionCompliance(name, async () => {
    const stack = new AsyncDisposableStack();
    const emulator = stack.use(await startEmulator());
    const { devices, dropNext } = stack.use(await enroll(emulator, webSocket));
    return {
      transport: createMqttTransport({ ca: emulator.caPem, webSocket }),
      devices,
      dropNext,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  });
});

/** The emulator for every attestation, and peers that hang at every stage. */
async function setup(
  webSocket: boolean,
  faults: readonly PlannedFault[] = [],
  pieceBytes?: number,
): Promise<TransportFixture> {
  const stack = new AsyncDisposableStack();
  const emulator = stack.use(await startEmulator());
  const { devices } = stack.use(await enroll(emulator, webSocket, pieceBytes));
  const silentTls = stack.use(await startTlsPeer());
  // CONNECT is accepted, and nothing more comes.
  const silentMqtt = stack.use(
    await startTlsPeer((socket) => void socket.resume().write(Uint8Array.of(0x20, 2, 0, 0))),
  );
  const silentTcp = stack.use(await startSilentHost());
  const transport = createMqttTransport({ ca: [emulator.caPem, silentTls.ca, silentMqtt.ca], webSocket });
  return {
    transport: faults.length === 0 ? transport : withFaults(transport, faults),
    devices,
    silentHosts: webSocket ? [silentTcp, silentTls] : [silentTcp, silentTls, silentMqtt],
    refusingHost: `localhost:${await closedPort()}`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function enroll(emulator: Emulator, webSocket: boolean, pieceBytes?: number): Promise<EnrolledDevices> {
  const { provisioningHost, endpoints } = emulator;
  return enrollDevices(emulator, {
    provisioningHost: webSocket ? provisioningHost : new URL(endpoints.mqtt).host,
    pieceBytes,
  });
}
