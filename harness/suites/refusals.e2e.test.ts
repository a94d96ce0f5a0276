/**
 * What can be wrong with a service, over real TLS and a real TPM; `any-service/refusals.e2e.test.ts` has what devices are
 * refused for by one that is in order.
 */
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { RegisterOptions } from '@endorse/registration-core';
import { createTestAuthority } from '@endorse/testkit';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import type { DeviceFixture } from './device-fixture.ts';
import { startDevice } from './device-fixture.ts';
import type { Refusal } from './refusal-suite.ts';
import { refusalSuite, registerWith } from './refusal-suite.ts';

const refusals: readonly Refusal<DeviceFixture>[] = [
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

refusalSuite(refusals, startDevice);

test('a device whose clock is an hour behind is told so by the service, within bounds', async () => {
  await using device = await startDevice({ clockSkewMs: 2 * 3_600_000 });
  const error = await registerWith(device, {}).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'ERR_SERVICE_UNAUTHORIZED' });
});

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
