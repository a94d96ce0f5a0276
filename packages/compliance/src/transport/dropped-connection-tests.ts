import type { RegistrationSession } from '@endorse/interface';
import { attestationKinds } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { rejection } from '../common/rejection.ts';
import type { DeviceFixture, DroppingSetup, SessionRequest } from './fixture.ts';
import {
  authenticate,
  carriedDevice,
  never,
  openSession,
  registerToEnd,
  registrationInfoOf,
  tokenOf,
} from './registration-flow.ts';

const moments = ['before-handling', 'after-handling'] as const;

/** Every request of every attestation loses its connection once: that is told, and registering again goes through. */
export function droppedConnectionTests(setup: DroppingSetup): void {
  describe.each(attestationKinds)('with %s', (kind) => {
    const requests: readonly SessionRequest[] =
      kind === 'tpm'
        ? ['getAuthenticationChallenge', 'register', 'queryOperationStatus']
        : ['register', 'queryOperationStatus'];
    const cases = requests.flatMap((request) => moments.map((when) => [request, when] as const));

    test.each(cases)('%s that is dropped %s is told as lost and may be repeated', async (request, when) => {
      await using fixture = await setup();
      const { transport } = fixture;
      const device = carriedDevice(fixture, kind);
      if (device === undefined) return;
      await using session = await openSession(transport, device);
      const send = await prepare(session, device, request);
      fixture.dropNext(request, when);
      expect(await rejection(send(), /^ERR_TRANSPORT_LOST$/)).toMatchObject({
        fault: 'transport',
        phase: expect.stringMatching(/^(send|receive)$/) as unknown,
        retryable: true,
        remedy: expect.stringMatching(/\S/) as unknown,
      });
      // The loss ends neither the session nor the operation that the service may have begun.
      const same = await registerToEnd(session, await authenticate(session, device));
      await using other = await openSession(transport, device);
      const anew = await registerToEnd(other, await authenticate(other, device));
      expect([same.operation.status, anew.operation.status]).toEqual(['assigned', 'assigned']);
    });
  });
}

/** Takes a session up to a request, and returns what makes it. */
async function prepare(
  session: RegistrationSession,
  device: DeviceFixture,
  request: SessionRequest,
): Promise<() => Promise<unknown>> {
  const { registrationId } = device.target;
  const options = { signal: never };
  switch (request) {
    case 'getAuthenticationChallenge': {
      const { endorsementKey, storageRootKey } = await registrationInfoOf(device);
      if (endorsementKey === undefined || storageRootKey === undefined)
        expect.fail('only a TPM is challenged');
      const challenge = { ...device.target, endorsementKey, storageRootKey };
      return () => session.getAuthenticationChallenge(challenge, options);
    }
    case 'register': {
      const registration = await authenticate(session, device);
      return () => session.register(registration, options);
    }
    case 'queryOperationStatus': {
      const registration = await authenticate(session, device);
      const { operationId } = (await session.register(registration, options)).operation;
      return () =>
        session.queryOperationStatus({ ...tokenOf(registration), registrationId, operationId }, options);
    }
    default:
      return request satisfies never;
  }
}
