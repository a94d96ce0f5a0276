import { inspect } from 'node:util';
import { attestationKinds } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { rejection } from '../common/rejection.ts';
import type { DeviceFixture, TransportFixture, TransportSetup } from './fixture.ts';
import {
  authenticate,
  carriedDevice,
  never,
  openSession,
  registerToEnd,
  registrationInfoOf,
  signToken,
  tokenOf,
} from './registration-flow.ts';

/** What the service refuses with; carriers without a status derive one from the service's code. */
const serviceRefusal = /^ERR_SERVICE_(BAD_REQUEST|UNAUTHORIZED|FORBIDDEN|NOT_FOUND)$/;

/** Registrations of every attestation in the manifest, right and wrong. Those that are not in it are refused elsewhere. */
export function registrationTests(setup: TransportSetup): void {
  describe.each(attestationKinds)('registration with %s', (kind) => {
    const scenario = (
      title: string,
      run: (fixture: TransportFixture, device: DeviceFixture) => Promise<void>,
    ): void => {
      test(title, async () => {
        await using fixture = await setup();
        const device = carriedDevice(fixture, kind);
        if (device !== undefined) await run(fixture, device);
      });
    };

    scenario('ends in an assignment', async ({ transport }, device) => {
      await using session = await openSession(transport, device);
      const request = await authenticate(session, device);
      const { operation, retryAfterMs } = await registerToEnd(session, request);
      const state = operation.registrationState;
      expect(operation.status).toBe('assigned');
      expect(state?.assignedHub).toMatch(/\S/);
      expect(state?.deviceId).toMatch(/\S/);
      expect(retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
      if (device.kind === 'tpm') {
        const hubKey = state?.tpm?.authenticationKey;
        if (hubKey === undefined) expect.fail('an assigned TPM device must be given its hub key');
        await device.securityClient.activateIdentityKey(hubKey);
        expect(await device.securityClient.signWithIdentity(new Uint8Array(1))).toHaveLength(32);
      }
    });

    scenario('may be repeated, on the same session and on another', async ({ transport }, device) => {
      await using first = await openSession(transport, device);
      await registerToEnd(first, await authenticate(first, device));
      // A second challenge on a session that has sent a token: the token must not be sent along.
      const again = await registerToEnd(first, await authenticate(first, device));
      await using second = await openSession(transport, device);
      const anew = await registerToEnd(second, await authenticate(second, device));
      expect([again.operation.status, anew.operation.status]).toEqual(['assigned', 'assigned']);
    });

    scenario('of a device that is not enrolled is refused by the service', async ({ transport }, device) => {
      const target = {
        ...device.target,
        registrationId: `${device.target.registrationId.slice(0, 100)}-nobody`,
      };
      const stranger = { ...device, target } as DeviceFixture;
      await using session = await openSession(transport, stranger);
      const attempt = authenticate(session, stranger).then((request) => registerToEnd(session, request));
      const error = await rejection(attempt, serviceRefusal);
      expect(error).toMatchObject({
        fault: 'service',
        retryable: false,
        status: expect.any(Number) as unknown,
      });
    });

    scenario('asks for a challenge only for a TPM', async ({ transport }, device) => {
      await using session = await openSession(transport, device);
      const keys = { endorsementKey: new Uint8Array(316), storageRootKey: new Uint8Array(284) };
      const { endorsementKey, storageRootKey } = { ...keys, ...(await registrationInfoOf(device)) };
      const asking = session.getAuthenticationChallenge(
        { ...device.target, endorsementKey, storageRootKey },
        { signal: never },
      );
      if (device.kind === 'tpm') {
        const challenge = await asking;
        expect(challenge.activationBlob.byteLength).toBeGreaterThan(0);
        expect(challenge.keyName).toMatch(/\S/);
      } else {
        await rejection(asking, /^ERR_LOCAL_STATE$/);
      }
    });

    scenario(
      'with a forged token is refused, and the error does not show the token',
      async (fixture, device) => {
        await using session = await openSession(fixture.transport, device);
        const request = await authenticate(session, device);
        if (device.kind === 'x509') {
          // There is no token to forge; sending one beside the certificate would only leak it.
          expect(request.sasToken).toBeUndefined();
          return;
        }
        const forged = await signToken(device, 'registration', async () => new Uint8Array(32).fill(7));
        const error = await rejection(
          session.register({ ...request, sasToken: forged }, { signal: never }),
          /^ERR_SERVICE_(UNAUTHORIZED|FORBIDDEN)$/,
        );
        expect(error).toMatchObject({ fault: 'service', retryable: false, status: 401 });
        const printed = inspect(error, { depth: 10, showHidden: true });
        expect(printed).not.toContain(forged.revealText());
        expect(printed).not.toContain(Buffer.alloc(32, 7).toString('base64'));
      },
    );

    scenario('does not find an operation that does not exist', async ({ transport }, device) => {
      await using session = await openSession(transport, device);
      const request = await authenticate(session, device);
      await registerToEnd(session, request);
      const { registrationId } = device.target;
      const operationId = '5.0000000000000000.00000000-0000-0000-0000-000000000000';
      const asking = session.queryOperationStatus(
        { ...tokenOf(request), registrationId, operationId },
        { signal: never },
      );
      expect(await rejection(asking, serviceRefusal)).toMatchObject({ fault: 'service', retryable: false });
    });
  });
}
