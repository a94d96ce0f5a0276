import type { RegistrationSession, SessionRequestOptions } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { rejection, rejectionWith, settle } from '../common/rejection.ts';
import { eventually, watchResources } from '../common/resources.ts';
import type { DeviceFixture, SessionRequest, TransportFixture, TransportSetup } from './fixture.ts';
import { authenticate, never, openSession, registerToEnd } from './registration-flow.ts';

/** The requests of a session. */
const requests: readonly SessionRequest[] = [
  'getAuthenticationChallenge',
  'register',
  'queryOperationStatus',
];

/** What holds for every request, whatever it asks: abort, close, refusal, concurrency, nothing left behind. */
export function traitTests(setup: TransportSetup): void {
  describe.each(requests)('%s', (name) => {
    test('rejects with the reason of an aborted signal before any IO', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, name);
      for (const silent of fixture.silentHosts) {
        await using session = await openSession(fixture.transport, device, silent.host);
        const reason = new Error('aborted before');
        await rejectionWith(send(session, device, name, silent.host, AbortSignal.abort(reason)), reason);
        expect(silent.connections).toBe(0);
      }
    });

    test('rejects promptly with the reason when it is aborted in flight, and lets go of its socket', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, name);
      for (const silent of fixture.silentHosts) {
        await using session = await openSession(fixture.transport, device, silent.host);
        // Whatever is thrown at abort() comes out, also what is no error.
        for (const reason of [new Error('aborted in flight'), 'a reason that is no error']) {
          const controller = new AbortController();
          const { connections } = silent;
          const sending = settle(send(session, device, name, silent.host, controller.signal));
          await eventually(
            () => silent.connections > connections,
            () => `${name} did not connect to ${silent.host}`,
          );
          const abortedAt = performance.now();
          controller.abort(reason);
          const outcome = await sending;
          expect(performance.now() - abortedAt, 'an abort must not wait for the peer').toBeLessThan(1_000);
          expect(outcome).toEqual({ status: 'rejected', reason });
          await eventually(
            () => silent.open === 0,
            () => `${name} was aborted but its socket is still open`,
          );
        }
      }
    });

    test('ends with ERR_SESSION_CLOSED when the session is closed in flight', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, name);
      for (const silent of fixture.silentHosts) {
        await using session = await openSession(fixture.transport, device, silent.host);
        const sending = settle(send(session, device, name, silent.host, never));
        await eventually(
          () => silent.connections > 0,
          () => `${name} did not connect to ${silent.host}`,
        );
        const closedAt = performance.now();
        await session.close();
        expect(performance.now() - closedAt, 'closing is bounded').toBeLessThan(5_000);
        const outcome = await sending;
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_SESSION_CLOSED' } });
        await eventually(
          () => silent.open === 0,
          () => 'the session is closed but its socket is still open',
        );
      }
    });

    test('rejects with ERR_SESSION_CLOSED after close, without IO', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, name);
      const [silent] = fixture.silentHosts;
      if (silent === undefined) expect.fail('the fixture must bring a silent host');
      const session = await openSession(fixture.transport, device, silent.host);
      await session.close();
      const error = await rejection(send(session, device, name, silent.host, never), /^ERR_SESSION_CLOSED$/);
      expect(error).toMatchObject({ fault: 'local', retryable: false });
      expect(silent.connections).toBe(0);
    });

    test('says that a connection was refused', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, name);
      await using session = await openSession(fixture.transport, device, fixture.refusingHost);
      const sending = send(session, device, name, fixture.refusingHost, never);
      expect(await rejection(sending, /^ERR_TRANSPORT_CONNECT$/)).toMatchObject({
        fault: 'transport',
        phase: 'connect',
        retryable: true,
        remedy: expect.stringMatching(/\S/) as unknown,
      });
    });

    test('refuses to go without a signal', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, name);
      await using session = await openSession(fixture.transport, device, fixture.refusingHost);
      const sending = send(session, device, name, fixture.refusingHost, undefined as never);
      await rejection(sending, /^ERR_INVALID_ARGUMENT$/);
    });
  });

  describe('session', () => {
    test('may be closed twice, disposed of, and closed without ever being used', async () => {
      await using fixture = await setup();
      const { transport } = fixture;
      const device = deviceFor(fixture, 'register');
      const unused = await openSession(transport, device);
      await unused.close();
      const used = await openSession(transport, device);
      await registerToEnd(used, await authenticate(used, device));
      await Promise.all([used.close(), used.close()]);
      await used[Symbol.asyncDispose]();
    });

    test('leaves no socket and no timer behind', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, 'register');
      using watch = watchResources();
      const session = await openSession(fixture.transport, device);
      await registerToEnd(session, await authenticate(session, device));
      await session.close();
      await watch.released();
    });

    test('goes on after an aborted request', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, 'register');
      await using session = await openSession(fixture.transport, device);
      const request = await authenticate(session, device);
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      const sending = session.register(request, { signal: controller.signal });
      controller.abort(reason);
      await rejectionWith(sending, reason);
      // Where the challenge is part of the handshake, a new connection needs a new token.
      const { challenge } = fixture.transport.capabilities;
      const retry = challenge === 'handshake' ? await authenticate(session, device) : request;
      expect((await registerToEnd(session, retry)).operation.status).toBe('assigned');
    });

    test('serves concurrent requests, or refuses all but one with ERR_LOCAL_STATE', async () => {
      await using fixture = await setup();
      const device = deviceFor(fixture, 'register');
      await using session = await openSession(fixture.transport, device);
      const request = await authenticate(session, device);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 3 }, () => session.register(request, { signal: never })),
      );
      const refused = outcomes.filter(({ status }) => status === 'rejected');
      for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'ERR_LOCAL_STATE' } });
      expect(refused.length, 'at least one request is served').toBeLessThan(outcomes.length);
      expect((await registerToEnd(session, request)).operation.status).toBe('assigned');
    });

    test('is independent of every other session of the transport', async () => {
      await using fixture = await setup();
      const { transport, silentHosts } = fixture;
      const [silent] = silentHosts;
      if (silent === undefined) expect.fail('the fixture must bring a silent host');
      const device = deviceFor(fixture, 'register');
      const stuck = await openSession(transport, device, silent.host);
      const stuckRequest = settle(send(stuck, device, 'register', silent.host, never));
      await eventually(
        () => silent.connections > 0,
        () => 'the request did not connect',
      );
      await using session = await openSession(transport, device);
      const registered = await registerToEnd(session, await authenticate(session, device));
      expect(registered.operation.status).toBe('assigned');
      await stuck.close();
      expect(await stuckRequest).toMatchObject({ reason: { code: 'ERR_SESSION_CLOSED' } });
      expect((await registerToEnd(session, await authenticate(session, device))).operation.status).toBe(
        'assigned',
      );
    });
  });
}

/** A device that may make the request: only a TPM asks for challenges, so that any other one stands in by registering. */
function deviceFor({ devices }: TransportFixture, name: SessionRequest): DeviceFixture {
  const device =
    name === 'getAuthenticationChallenge' ? (devices.tpm ?? Object.values(devices)[0]) : undefined;
  const chosen = device ?? Object.values(devices)[0];
  if (chosen === undefined) expect.fail('the fixture must bring a device');
  return chosen;
}

/** Makes a request that is well-formed, whether or not anybody would accept it. */
async function send(
  session: RegistrationSession,
  device: DeviceFixture,
  name: SessionRequest,
  provisioningHost: string,
  signal: AbortSignal,
): Promise<unknown> {
  const options: SessionRequestOptions = { signal };
  const { registrationId } = device.target;
  const token = device.kind === 'x509' ? {} : { sasToken: placeholderToken };
  const endorsementKey = placeholderKey(316);
  const storageRootKey = placeholderKey(284);
  const keys = device.kind === 'tpm' ? { endorsementKey, storageRootKey } : {};
  const call = name === 'getAuthenticationChallenge' && device.kind !== 'tpm' ? 'register' : name;
  switch (call) {
    case 'getAuthenticationChallenge':
      return session.getAuthenticationChallenge(
        { ...device.target, provisioningHost, endorsementKey, storageRootKey },
        options,
      );
    case 'register':
      return session.register({ ...token, registrationInfo: { registrationId, ...keys } }, options);
    case 'queryOperationStatus':
      return session.queryOperationStatus({ ...token, registrationId, operationId: '5.0.0' }, options);
    default:
      return call satisfies never;
  }
}

const placeholderToken = Secret.fromText(
  'SharedAccessSignature sr=0ne%2Fregistrations%2Fd&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&se=4102444800&skn=registration',
);

/** Bytes with the size prefix of a TPM2B_PUBLIC. */
function placeholderKey(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  new DataView(bytes.buffer).setUint16(0, byteLength - 2);
  return bytes;
}
