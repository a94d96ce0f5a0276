import { createHmac } from 'node:crypto';
import type { DeviceFixture, TransportFixture } from '@endorse/compliance/transport';
import { runTransportCompliance, startSilentHost } from '@endorse/compliance/transport';
import { startEmulator } from '@endorse/emulator';
import type { SymmetricKeySecurityClient, X509SecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { PlannedFault } from '@endorse/testkit';
import { createTestAuthority, withFaults } from '@endorse/testkit';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { describe } from 'vitest';
import { closedPort, startPeer } from './support/peer.ts';

const authority = createTestAuthority();

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
});

/** The emulator for every attestation, and peers that hang at every stage. */
async function setup(webSocket: boolean, faults: readonly PlannedFault[] = []): Promise<TransportFixture> {
  const stack = new AsyncDisposableStack();
  const emulator = stack.use(await startEmulator());
  const { idScope } = emulator;
  const provisioningHost = webSocket ? emulator.provisioningHost : new URL(emulator.endpoints.mqtt).host;
  const target = (registrationId: string): DeviceFixture['target'] => ({
    provisioningHost,
    idScope,
    registrationId,
  });

  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId: 'key-device' });
  const { certificatePem, privateKeyPem } = authority.issue({ commonName: 'x509-device' });
  await emulator.createX509Enrollment({
    registrationId: 'x509-device',
    primaryCertificate: certificatePem,
  });

  const silentTls = stack.use(await startPeer());
  // CONNECT is accepted, and nothing more comes.
  const silentMqtt = stack.use(
    await startPeer((socket) => void socket.resume().write(Uint8Array.of(0x20, 2, 0, 0))),
  );
  const silentTcp = stack.use(await startSilentHost());
  const transport = createMqttTransport({ ca: [emulator.caPem, silentTls.ca, silentMqtt.ca], webSocket });
  return {
    transport: faults.length === 0 ? transport : withFaults(transport, faults),
    devices: {
      'symmetric-key': {
        kind: 'symmetric-key',
        target: target('key-device'),
        securityClient: keyClient('key-device', primaryKey),
      },
      x509: {
        kind: 'x509',
        target: target('x509-device'),
        securityClient: x509Client('x509-device', certificatePem, privateKeyPem),
      },
    },
    silentHosts: webSocket ? [silentTcp, silentTls] : [silentTcp, silentTls, silentMqtt],
    refusingHost: `localhost:${await closedPort()}`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function keyClient(registrationId: string, key: Secret): SymmetricKeySecurityClient {
  return {
    specificationVersion: 'v1',
    kind: 'symmetric-key',
    getRegistrationId: async () => registrationId,
    signWithIdentity: async (data) =>
      Uint8Array.from(createHmac('sha256', key.reveal()).update(data).digest()),
  };
}

function x509Client(
  registrationId: string,
  certificatePem: string,
  privateKeyPem: string,
): X509SecurityClient {
  return {
    specificationVersion: 'v1',
    kind: 'x509',
    getRegistrationId: async () => registrationId,
    getCertificate: async () => ({ certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) }),
  };
}
