import { createHmac, randomBytes } from 'node:crypto';
import type { DeviceFixture, TransportFixture, TransportSetup } from '@endorse/compliance/transport';
import { runTransportCompliance, startSilentHost } from '@endorse/compliance/transport';
import { startEmulator } from '@endorse/emulator';
import type { SymmetricKeySecurityClient, X509SecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { createSoftwareTpm, generateSoftwareTpmKeys, withFaults } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import type { Peer } from './support/peer.ts';
import { closedPort, startPeer } from './support/peer.ts';
import { startSmallService } from './support/small-service.ts';

const keys = generateSoftwareTpmKeys();

/** Emulator for the TPM, hand-made services for the other two, and peers that hang at every stage. */
const setup: TransportSetup = async () => {
  const stack = new AsyncDisposableStack();
  const emulator = stack.use(await startEmulator());
  const tpm = stack.use(await createSoftwareTpm({ keys: await keys }));
  const registrationId = await tpm.getRegistrationId();
  await emulator.createTpmEnrollment({ registrationId, endorsementKey: await tpm.getEndorsementKey() });
  const { idScope } = emulator;

  const key = Uint8Array.from(randomBytes(32));
  const keyService = stack.use(await startSmallService('key-device', { kind: 'symmetric-key', key }));
  const x509Service = stack.use(await startSmallService('x509-device', { kind: 'x509' }));
  const silentTls = stack.use(await startPeer());
  const silentTcp = stack.use(await startSilentHost());

  const device = (service: Peer, id: string) => ({
    provisioningHost: service.host,
    idScope,
    registrationId: id,
  });
  const devices: Record<string, DeviceFixture> = {
    tpm: {
      kind: 'tpm',
      target: { provisioningHost: emulator.provisioningHost, idScope, registrationId },
      securityClient: tpm,
    },
    'symmetric-key': {
      kind: 'symmetric-key',
      target: device(keyService, 'key-device'),
      securityClient: keyClient('key-device', key),
    },
    x509: {
      kind: 'x509',
      target: device(x509Service, 'x509-device'),
      securityClient: x509Client('x509-device', x509Service),
    },
  };
  const ca = [emulator.caPem, ...[keyService, x509Service, silentTls].map((peer) => peer.ca)];
  return {
    transport: createHttpTransport({ ca }),
    devices,
    silentHosts: [silentTcp, silentTls],
    refusingHost: `localhost:${await closedPort()}`,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};

runTransportCompliance('HTTP', setup);

runTransportCompliance('HTTP, every request slow and sent twice', async (): Promise<TransportFixture> => {
  const fixture = await setup();
  const transport = withFaults(fixture.transport, [
    { call: 'queryOperationStatus', fault: { kind: 'duplicate' } },
    { fault: { kind: 'slow', delayMs: 2 } },
  ]);
  return { ...fixture, transport };
});

function keyClient(registrationId: string, key: Uint8Array): SymmetricKeySecurityClient {
  return {
    specificationVersion: 'v1',
    kind: 'symmetric-key',
    getRegistrationId: async () => registrationId,
    signWithIdentity: async (data) => Uint8Array.from(createHmac('sha256', key).update(data).digest()),
  };
}

function x509Client(registrationId: string, { authority }: Peer): X509SecurityClient {
  const { certificatePem, privateKeyPem } = authority.issue({ commonName: registrationId });
  return {
    specificationVersion: 'v1',
    kind: 'x509',
    getRegistrationId: async () => registrationId,
    getCertificate: async () => ({ certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) }),
  };
}
