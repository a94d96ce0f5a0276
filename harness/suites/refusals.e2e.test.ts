/**
 * What can be wrong between a device and its service, over real TLS and a real TPM. Each case ends in
 * one typed error, leaves the TPM as it was and no socket open, and a registration without it works after.
 */
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isEndorseError } from '@endorse/interface';
import type { Transport } from '@endorse/interface';
import { joinActivationBlob, splitActivationBlob } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import type { RegisterOptions } from '@endorse/registration-core';
import { createTestAuthority } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import type { DeviceFixture } from './device-fixture.ts';
import { openSockets, startDevice } from './device-fixture.ts';

/** A device whose service misbehaves, and the code the device must see. */
interface Refusal {
  readonly title: string;
  readonly code: string | RegExp;
  /** Makes the difference to a good registration. */
  arrange(device: DeviceFixture, resources: AsyncDisposableStack): Promise<Partial<RegisterOptions>>;
}

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
      await device.emulator.createTpmEnrollment({ registrationId: device.registrationId, endorsementKey });
      return {};
    },
  },
  {
    title: 'the enrollment is disabled',
    code: 'ERR_REGISTRATION_DISABLED',
    arrange: async (device) => {
      const { registrationId, endorsementKey } = device;
      await device.emulator.createTpmEnrollment({
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
  {
    title: 'the certificate is for another host',
    code: 'ERR_TRANSPORT_TLS',
    arrange: (_device, resources) => startStandIn(resources, answerNothing, ['elsewhere.test']),
  },
  {
    title: 'nobody listens',
    code: 'ERR_TRANSPORT_CONNECT',
    arrange: async (device) => {
      await device.emulator.stop();
      return { retry: { maxRetries: 2, baseDelayMs: 1 } };
    },
  },
  {
    title: 'the answer is not JSON',
    code: 'ERR_REMOTE_MALFORMED',
    arrange: (_device, resources) =>
      startStandIn(resources, (answer) =>
        answer.writeHead(401, { 'content-type': 'application/json' }).end('{"message":'),
      ),
  },
  {
    title: 'the answer has another content type',
    code: 'ERR_REMOTE_CONTENT_TYPE',
    arrange: (_device, resources) =>
      startStandIn(resources, (answer) =>
        answer.writeHead(401, { 'content-type': 'text/html' }).end('<html>log in</html>'),
      ),
  },
  {
    title: 'the answer is huge',
    code: 'ERR_REMOTE_TOO_LARGE',
    arrange: (_device, resources) =>
      startStandIn(resources, (answer) =>
        answer.writeHead(401, { 'content-type': 'application/json' }).end('['.repeat(4 * 2 ** 20)),
      ),
  },
  {
    title: 'the service redirects',
    code: 'ERR_REMOTE_REDIRECT',
    arrange: (_device, resources) =>
      startStandIn(resources, (answer) =>
        answer.writeHead(307, { location: 'https://elsewhere.test/' }).end(),
      ),
  },
  {
    title: 'a 401 carries no key',
    code: 'ERR_SERVICE_UNAUTHORIZED',
    arrange: (_device, resources) =>
      startStandIn(resources, (answer) =>
        answer
          .writeHead(401, { 'content-type': 'application/json' })
          .end('{"errorCode":401002,"message":"Unauthorized"}'),
      ),
  },
  {
    title: 'the service never answers',
    code: 'ERR_TIMEOUT',
    arrange: async (_device, resources) => ({
      ...(await startStandIn(resources, answerNothing)),
      deadlineMs: 300,
    }),
  },
];

for (const { title, code, arrange } of refusals) {
  test(`refused once, with its code, leaving nothing behind: ${title}`, async () => {
    await using device = await startDevice();
    const held = await device.heldBesideIdentityKey();
    const sockets = openSockets();
    {
      await using resources = new AsyncDisposableStack();
      const error = await registerWith(device, await arrange(device, resources)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isEndorseError(error), String(error)).toBe(true);
      expect((error as { code: string }).code).toMatch(code);
    }
    expect(await device.heldBesideIdentityKey()).toEqual(held);
    expect(openSockets()).toBeLessThanOrEqual(sockets);
  });
}

test('a flipped last field is no harm: nobody reads it', async () => {
  await using device = await startDevice();
  const transport = rewriteChallenges(transportOf(device), (blob) => flipField(blob, 'encryptedUri'));
  await expect(registerWith(device, { transport })).resolves.toMatchObject({ status: 'assigned' });
});

test('a device whose clock is an hour behind is told so by the service, within bounds', async () => {
  await using device = await startDevice({ clockSkewMs: 2 * 3_600_000 });
  const error = await registerWith(device, {}).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'ERR_SERVICE_UNAUTHORIZED' });
});

async function registerWith(device: DeviceFixture, options: Partial<RegisterOptions>): Promise<unknown> {
  const securityClient = await device.openTpm();
  try {
    return await register({
      provisioningHost: device.emulator.provisioningHost,
      idScope: device.emulator.idScope,
      transport: transportOf(device),
      securityClient,
      deadlineMs: 20_000,
      retry: { baseDelayMs: 1 },
      ...options,
    });
  } finally {
    await securityClient.close();
  }
}

function transportOf(device: DeviceFixture): Transport {
  return createHttpTransport({ ca: device.emulator.caPem });
}

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

/** A service that gives every request the same answer, under a CA that the returned transport trusts. */
async function startStandIn(
  resources: AsyncDisposableStack,
  answer: (response: ServerResponse) => void,
  names: readonly string[] = ['localhost'],
): Promise<Pick<RegisterOptions, 'provisioningHost' | 'transport'>> {
  const authority = createTestAuthority();
  const { certificatePem, privateKeyPem } = authority.issue({ names });
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    request.resume();
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  resources.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return {
    provisioningHost: `localhost:${port}`,
    transport: createHttpTransport({ ca: authority.certificatePem }),
  };
}

function answerNothing(): void {}
