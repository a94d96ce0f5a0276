/**
 * A registration over HTTPS with swtpm, whose connection is dropped before and after each of its
 * three requests: the registration goes through all the same, once, and the TPM is left clean.
 */
import { register } from '@endorse/registration-core';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import { openSockets, startDevice } from './device-fixture.ts';
import type { DropPoint } from './misbehaving-proxy.ts';
import { startMisbehavingProxy } from './misbehaving-proxy.ts';

const requestNames = ['challenge', 'register', 'status'];
const dropPoints: readonly DropPoint[] = ['before the request arrives', 'after the service has answered'];

for (const [dropRequest, name] of requestNames.entries()) {
  for (const dropPoint of dropPoints) {
    test(`survives a connection lost ${dropPoint}: ${name}`, async () => {
      await using device = await startDevice();
      const held = await device.heldBesideIdentityKey();
      const sockets = openSockets();
      const retries: string[] = [];
      {
        await using proxy = await startMisbehavingProxy({
          upstream: device.emulator.endpoints.http,
          upstreamCaPem: device.emulator.caPem,
          dropRequest,
          dropPoint,
        });
        const securityClient = await device.openTpm();
        try {
          const result = await register({
            provisioningHost: proxy.provisioningHost,
            idScope: device.emulator.idScope,
            transport: createHttpTransport({ ca: proxy.caPem }),
            securityClient,
            deadlineMs: 20_000,
            retry: { baseDelayMs: 1 },
            onProgress: (progress) => {
              if (progress.event === 'retry-scheduled') retries.push(progress.code);
            },
          });
          expect(result).toMatchObject({ status: 'assigned', deviceId: device.registrationId });
          expect(proxy.requests).toBe(requestNames.length + 1);
        } finally {
          await securityClient.close();
        }
      }
      expect(retries).toEqual(['ERR_TRANSPORT_LOST']);
      expect(await device.heldBesideIdentityKey()).toEqual(held);
      expect(openSockets()).toBe(sockets);
    });
  }
}
