import { createHmac } from 'node:crypto';
import type { DeviceFixture, TransportFixture } from '@endorse/compliance/transport';
import { runTransportCompliance, startSilentHost } from '@endorse/compliance/transport';
import { startEmulator } from '@endorse/emulator';
import type { SymmetricKeySecurityClient, X509SecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { PlannedFault } from '@endorse/testkit';
import {
  createSoftwareTpm,
  createTestAuthority,
  generateSoftwareTpmKeys,
  withFaults,
} from '@endorse/testkit';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { describe } from 'vitest';
import { startFragmentingRelay } from './support/fragmenting-relay.ts';
import { closedPort, startPeer } from './support/peer.ts';

const keys = generateSoftwareTpmKeys();
const authority = createTestAuthority();

describe.each([
  ['AMQP', false],
  ['AMQP over WebSockets', true],
])('%s', (name, webSocket) => {
  runTransportCompliance(name, () => setup(webSocket));

  runTransportCompliance(`${name}, every request slow, polls sent twice`, () =>
    setup(webSocket, [
      { call: 'queryOperationStatus', fault: { kind: 'duplicate' } },
      { fault: { kind: 'slow', delayMs: 2 } },
    ]),
  );

  runTransportCompliance(`${name}, in pieces of 61 bytes`, () => setup(webSocket, [], 61));
});

/** The emulator for every attestation, and peers that hang at every stage. */
async function setup(
  webSocket: boolean,
  faults: readonly PlannedFault[] = [],
  pieceBytes?: number,
): Promise<TransportFixture> {
  const stack = new AsyncDisposableStack();
  const emulator = stack.use(await startEmulator());
  const { idScope } = emulator;
  const direct = webSocket ? emulator.provisioningHost : new URL(emulator.endpoints.amqp).host;
  const provisioningHost =
    pieceBytes === undefined
      ? direct
      : stack.use(await startFragmentingRelay(Number(direct.split(':')[1]), pieceBytes)).host;
  const target = (registrationId: string): DeviceFixture['target'] => ({
    provisioningHost,
    idScope,
    registrationId,
  });

  const tpm = stack.use(await createSoftwareTpm({ keys: await keys }));
  const tpmId = await tpm.getRegistrationId();
  await emulator.createTpmEnrollment({
    registrationId: tpmId,
    endorsementKey: await tpm.getEndorsementKey(),
  });
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId: 'key-device' });
  const { certificatePem, privateKeyPem } = authority.issue({ commonName: 'x509-device' });
  await emulator.createX509Enrollment({
    registrationId: 'x509-device',
    primaryCertificate: certificatePem,
  });

  const silentTls = stack.use(await startPeer());
  const silentTcp = stack.use(await startSilentHost());
  const transport = createAmqpTransport({ ca: [emulator.caPem, silentTls.ca], webSocket });
  return {
    transport: faults.length === 0 ? transport : withFaults(transport, faults),
    devices: {
      // The first stands in where any device will do, and a TPM cannot register unless it was challenged.
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
      tpm: { kind: 'tpm', target: target(tpmId), securityClient: tpm },
    },
    silentHosts: [silentTcp, silentTls],
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
