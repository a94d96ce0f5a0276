/**
 * Defects of the official Node SDK, each as a test that it cannot happen here.
 * They were observed with azure-iot-provisioning-device 1.9.1 and its transports; those that a device meets are shown
 * beside ours, on real sockets, in `harness/suites/official-defects.e2e.test.ts`.
 */
import type { RegistrationResult } from '@endorse/interface';
import { ServiceError, TransportError } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { parseSasToken } from '@endorse/protocol';
import type { ScriptStep } from '@endorse/testkit';
import { assignedReply, assigningReply, createScriptedTransport } from '@endorse/testkit';
import {
  SymmetricKeyRegistration,
  TpmRegistration,
  X509Registration,
  register,
} from '@endorse/registration-core';
import { expect, it } from 'vitest';
import { createFakeSymmetricKey, createFakeTpm, createFakeX509 } from './support/fake-identities.ts';
import { callsOf, runScript } from './support/run-script.ts';
import {
  assigned,
  challenge,
  failWith,
  hubKey,
  operationId,
  pollWith,
  registerWith,
  target,
} from './support/scripts.ts';

it('register() that never settles: cancelled while it is authenticating', async () => {
  const transport = createScriptedTransport([{ call: 'getAuthenticationChallenge', answer: { hang: true } }]);
  const clock = new VirtualClock();
  const registration = new TpmRegistration('dps.test', '0ne1', transport, createFakeTpm(), { clock });
  const registering = registration.register();
  registering.catch(() => undefined);
  await clock.advance(0);
  await registration.cancel();
  await expect(registering).rejects.toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED' });
});

it('register() that never settles: the connection is refused before the challenge', async () => {
  const refused = new TransportError('ERR_TRANSPORT_CONNECT', 'refused', {
    phase: 'connect',
    retryable: true,
  });
  const { outcome, elapsedMs } = await runScript(
    Array.from({ length: 3 }, () => failWith('getAuthenticationChallenge', refused)),
    { retry: { maxRetries: 2 } },
  );
  expect(outcome).toEqual({ status: 'rejected', reason: refused });
  expect(elapsedMs).toBeLessThanOrEqual(3000);
});

it('register() that is never answered: after one that completed', async () => {
  const transport = createScriptedTransport([
    challenge,
    registerWith(assigned),
    challenge,
    registerWith(assigned),
  ]);
  const registration = new TpmRegistration('dps.test', '0ne1', transport, createFakeTpm());
  await registration.register();
  await expect(registration.register()).resolves.toMatchObject({ status: 'assigned' });
});

it('cancellation that cancels nothing: between two polls the registration went on and succeeded', async () => {
  const transport = createScriptedTransport([
    challenge,
    registerWith(assigningReply(operationId, 3000)),
    pollWith(assigned),
  ]);
  const clock = new VirtualClock();
  const securityClient = createFakeTpm();
  const registration = new TpmRegistration('dps.test', '0ne1', transport, securityClient, { clock });
  const registering = registration.register();
  registering.catch(() => undefined);
  await clock.advance(1000);
  await registration.cancel();
  await clock.advance(60_000);
  expect(transport.remaining).toBe(1);
  expect(securityClient.identityKey).not.toEqual(hubKey);
  await expect(registering).rejects.toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED' });
});

it('cancellation that cancels nothing: the request in flight went on', async () => {
  let seen: AbortSignal | undefined;
  const transport = createScriptedTransport([
    {
      call: 'getAuthenticationChallenge',
      answer: {
        run: (_request, signal) => {
          seen = signal;
          return new Promise(() => undefined);
        },
      },
    },
  ]);
  const registration = new TpmRegistration('dps.test', '0ne1', transport, createFakeTpm());
  const registering = registration.register();
  registering.catch(() => undefined);
  await new VirtualClock().advance(0);
  await registration.cancel();
  expect(seen?.aborted).toBe(true);
  expect(seen?.reason).toMatchObject({ code: 'ERR_REGISTRATION_CANCELLED' });
});

it('an option that changes nothing: the time limit of a request', async () => {
  const { elapsedMs } = await runScript([{ call: 'getAuthenticationChallenge', answer: { hang: true } }], {
    stepTimeoutMs: 1234,
    retry: { maxRetries: 0 },
  });
  expect(elapsedMs).toBe(1234);
});

it('no deadline over the whole operation: a service that keeps assigning', async () => {
  const polls = Array.from({ length: 9 }, () => pollWith(assigningReply(operationId, 1000)));
  const { outcome, elapsedMs } = await runScript(
    [challenge, registerWith(assigningReply(operationId, 1000)), ...polls],
    { deadlineMs: 9500 },
  );
  expect(outcome).toMatchObject({ reason: { code: 'ERR_TIMEOUT', deadlineMs: 9500 } });
  expect(elapsedMs).toBe(9500);
});

it('a transport that serves one device only: two devices at once over one transport', async () => {
  // A symmetric-key device needs no challenge, so each step of this script fits only the device it is meant for.
  const ids: string[] = [];
  const note = (): ScriptStep => ({
    call: 'register',
    answer: {
      run: ({ sasToken, registrationInfo }) => {
        const { resource } = parseSasToken(sasToken?.revealText() ?? '');
        ids.push(`${registrationInfo.registrationId} ${resource}`);
        return assignedReply(operationId, { registrationId: registrationInfo.registrationId });
      },
    },
  });
  const transport = createScriptedTransport([note(), note()]);
  const results = await Promise.all(
    ['device-a', 'device-b'].map((id) =>
      register({ ...target, transport, securityClient: createFakeSymmetricKey(new Uint8Array(32), id) }),
    ),
  );
  expect(results.map(({ deviceId }) => deviceId)).toEqual(['device-a', 'device-b']);
  expect(ids.toSorted()).toEqual([
    'device-a 0ne00000001/registrations/device-a',
    'device-b 0ne00000001/registrations/device-b',
  ]);
});

it('a stale token on a second challenge: a challenge request has no place for one', async () => {
  const transport = createScriptedTransport([
    challenge,
    registerWith(assigned),
    challenge,
    registerWith(assigned),
  ]);
  const securityClient = createFakeTpm();
  await register({ ...target, transport, securityClient });
  await register({ ...target, transport, securityClient });
  const challenges = transport.calls.filter(({ call }) => call === 'getAuthenticationChallenge');
  expect(challenges).toHaveLength(2);
  for (const call of challenges) expect(call).not.toHaveProperty('request.sasToken');
  // And each registration has a session of its own.
  expect(callsOf(transport).filter((call) => call === 'openSession')).toHaveLength(2);
});

it('a result whose shape depends on the attestation', async () => {
  const shapeOf = (result: RegistrationResult): string => Object.keys(result).toSorted().join();
  const reply = assignedReply(operationId, { registrationId: 'device-1', hubKey });
  const tpm = createScriptedTransport([challenge, registerWith(reply)]);
  const others = createScriptedTransport([registerWith(reply), registerWith(reply)]);
  const results = [
    await new TpmRegistration('dps.test', '0ne1', tpm, createFakeTpm()).register(),
    await new SymmetricKeyRegistration(
      'dps.test',
      '0ne1',
      others,
      createFakeSymmetricKey(new Uint8Array(32)),
    ).register(),
    await new X509Registration('dps.test', '0ne1', others, createFakeX509()).register(),
  ];
  expect(new Set(results.map(shapeOf)).size).toBe(1);
  for (const { assignedHub, deviceId } of results)
    expect({ assignedHub, deviceId }).toEqual({ assignedHub: 'hub.example.test', deviceId: 'device-1' });
});

it('retry by status arithmetic: 501 Not Implemented is no reason to go on', async () => {
  const error = new ServiceError('not implemented', { status: 501 });
  const { outcome } = await runScript([challenge, failWith('register', error)]);
  expect(outcome).toEqual({ status: 'rejected', reason: error });
});

it.each([429, 503])('one %i made register() reject, Retry-After ignored', async (status) => {
  const { outcome, elapsedMs } = await runScript([
    challenge,
    failWith('register', new ServiceError('later', { status, retryAfterMs: 7000 })),
    registerWith(assigned),
  ]);
  expect(outcome).toMatchObject({ status: 'fulfilled' });
  expect(elapsedMs).toBe(7000);
});

it('a Retry-After that is a date became a pause of NaN: without a usable pause, the default holds', async () => {
  const { outcome, elapsedMs } = await runScript([
    challenge,
    registerWith(assigningReply(operationId, Number.NaN)),
    pollWith(assigned),
  ]);
  expect(outcome).toMatchObject({ status: 'fulfilled' });
  expect(elapsedMs).toBe(2000);
});

it('an assignment without a key crashed the process: it is an error of the peer', async () => {
  const { outcome } = await runScript([
    challenge,
    registerWith(assignedReply(operationId, { registrationId: 'device-1' })),
  ]);
  expect(outcome).toMatchObject({
    status: 'rejected',
    reason: { code: 'ERR_REMOTE_UNEXPECTED', fault: 'peer' },
  });
});

it('an exception in a listener ended up in the event loop: a progress listener cannot harm a registration', async () => {
  const { outcome } = await runScript([challenge, registerWith(assigned)], {
    onProgress: () => {
      throw new Error('listener');
    },
  });
  expect(outcome).toMatchObject({ status: 'fulfilled' });
});
