/** What a device is refused for, on any service: another identity, another scope, and keys that were changed on their way. */
import type { Transport } from '@endorse/interface';
import { joinActivationBlob, splitActivationBlob } from '@endorse/protocol';
import { createTestAuthority } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { startTpmDeviceAnywhere } from '../device-fixture.ts';
import type { Refusal } from '../refusal-suite.ts';
import { refusalSuite, registerWith, transportOf } from '../refusal-suite.ts';

const blobFields = [
  'idObject',
  'encryptedSecret',
  'duplicate',
  'encryptedSeed',
  'publicArea',
  'encryptedUri',
] as const;

const refusals: readonly Refusal[] = [
  // The last field is data for nobody: a TPM does not look at it, so flipping it is not refused (below).
  ...blobFields.slice(0, 5).map((field): Refusal => ({
    title: `the activation blob's ${field} is flipped`,
    code: /^ERR_TPM_/,
    arrange: async (device) => ({
      transport: rewriteChallenges(transportOf(device), (blob) => flipField(blob, field)),
    }),
  })),
  {
    title: 'the activation blob is truncated',
    code: 'ERR_TPM_BLOB',
    arrange: async (device) => ({
      transport: rewriteChallenges(transportOf(device), (blob) => blob.subarray(0, 500)),
    }),
  },
  {
    title: "the activation blob's parts are in another order",
    code: 'ERR_TPM_BLOB',
    arrange: async (device) => ({
      // The first of the six parts, 54 bytes with its size, comes last.
      transport: rewriteChallenges(transportOf(device), (blob) =>
        Buffer.concat([blob.subarray(54), blob.subarray(0, 54)]),
      ),
    }),
  },
  {
    title: 'another endorsement key is enrolled',
    code: 'ERR_SERVICE_BAD_REQUEST',
    arrange: async (device) => {
      const endorsementKey = Uint8Array.from(device.endorsementKey);
      const last = endorsementKey.byteLength - 1;
      endorsementKey[last] = (endorsementKey[last] ?? 0) ^ 0x02;
      await device.service.createTpmEnrollment({ registrationId: device.registrationId, endorsementKey });
      return {};
    },
  },
  {
    title: 'the enrollment is disabled',
    code: 'ERR_REGISTRATION_DISABLED',
    arrange: async (device) => {
      const { registrationId, endorsementKey } = device;
      await device.service.createTpmEnrollment({
        registrationId,
        endorsementKey,
        provisioningStatus: 'disabled',
      });
      return {};
    },
  },
  {
    title: 'the ID scope is another',
    code: /^ERR_SERVICE_/,
    arrange: async () => ({ idScope: '0ne0000FFFF' }),
  },
  {
    title: 'the CA is not trusted',
    code: 'ERR_TRANSPORT_TLS',
    arrange: async () => ({ transport: createHttpTransport({ ca: createTestAuthority().certificatePem }) }),
  },
];

refusalSuite(refusals, startTpmDeviceAnywhere);

test('a flipped last field is no harm: nobody reads it', async () => {
  await using device = await startTpmDeviceAnywhere();
  const transport = rewriteChallenges(transportOf(device), (blob) => flipField(blob, 'encryptedUri'));
  await expect(registerWith(device, { transport })).resolves.toMatchObject({ status: 'assigned' });
});

function rewriteChallenges(transport: Transport, rewrite: (blob: Uint8Array) => Uint8Array): Transport {
  return {
    ...transport,
    openSession: (target, attestation) => {
      const session = transport.openSession(target, attestation);
      return {
        getAuthenticationChallenge: async (request, options) => {
          const challenge = await session.getAuthenticationChallenge(request, options);
          return { ...challenge, activationBlob: rewrite(challenge.activationBlob) };
        },
        register: (request, options) => session.register(request, options),
        queryOperationStatus: (request, options) => session.queryOperationStatus(request, options),
        close: () => session.close(),
        [Symbol.asyncDispose]: () => session.close(),
      };
    },
  };
}

function flipField(blob: Uint8Array, field: (typeof blobFields)[number]): Uint8Array {
  const parts = splitActivationBlob(blob);
  const flipped = Uint8Array.from(parts[field]);
  const last = flipped.byteLength - 1;
  flipped[last] = (flipped[last] ?? 0) ^ 0x01;
  return joinActivationBlob({ ...parts, [field]: flipped });
}
