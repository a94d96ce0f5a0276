/** The `/drs/` dialect without a carrier: who gets what challenge, and what an answer is good for. */
import { Secret } from '@endorse/interface';
import type { DrsRegistration, EmulatorCoreOptions } from '@endorse/emulator/core';
import { createEmulatorCore } from '@endorse/emulator/core';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { describe, expect, test } from 'vitest';
import type { CoreFixture } from './support/core-fixture.ts';
import { coreFixture, expectOutcome, seededRandom } from './support/core-fixture.ts';
import { softwareTpm } from './support/software-tpm.ts';

interface DrsFixture extends CoreFixture {
  /** What the device of the fixture shows. */
  readonly registration: DrsRegistration;
  /** Asks for a challenge and decrypts it. */
  solve(): { readonly registrationId: string; readonly correlationId: string; readonly nonce: Secret };
}

function drsFixture(options: Partial<EmulatorCoreOptions> = {}): DrsFixture {
  const fixture = coreFixture(options);
  const { core, tpm, identity } = fixture;
  const { registrationId } = identity;
  const { endorsementKey, storageRootKey } = tpm;
  core.createTpmEnrollment({ registrationId, endorsementKey, storageRootKey, deviceId: 'Device.One' });
  const registration = { registrationId, registrationIdOfPath: registrationId, endorsementKey };
  return {
    ...fixture,
    registration,
    solve: () => {
      const { correlationId, nonce } = expectOutcome(core.drs.register(registration), 'challenge');
      return { registrationId, correlationId, nonce: Secret.fromBytes(tpm.decryptNonce(nonce)) };
    },
  };
}

describe.each(['encrypted-data', 'credential'] as const)('with a nonce as %s', (drsNonceForm) => {
  test('a device that decrypts it is assigned, and its hub key opens in the TPM', () => {
    const { core, tpm, solve, events } = drsFixture({ drsNonceForm, retryAfterSeconds: 3 });
    const answer = solve();
    expect(answer.nonce.byteLength).toBe(32);
    const { operationId, retryAfterSeconds } = expectOutcome(core.drs.confirm(answer), 'operation');
    expect(retryAfterSeconds).toBe(3);
    const { progress } = expectOutcome(core.drs.lookUp({ ...answer, operationId }), 'progress');
    expect(progress).toMatchObject({
      status: 'assigned',
      iotHubUrl: 'hub.endorse.test',
      deviceId: 'Device.One',
    });
    const { authenticationKey } = progress as { readonly authenticationKey: Uint8Array };
    expect(tpm.open(authenticationKey)).toHaveLength(32);
    expect(events.map(({ event }) => event).slice(-3)).toEqual([
      'challenge-issued',
      'registration-started',
      'device-assigned',
    ]);
  });

  test('only the TPM it is for can decrypt it', () => {
    const { core, registration } = drsFixture({ drsNonceForm });
    const { nonce } = expectOutcome(core.drs.register(registration), 'challenge');
    expect(() => softwareTpm(1).decryptNonce(nonce)).toThrow();
  });
});

test('a device more than may register is refused once it has answered', () => {
  const { core, solve } = drsFixture({ quotas: { maxRegistrations: 1 } });
  core.store.registrations.set('other', { registrationId: 'other', status: 'assigned' });
  expect(core.drs.confirm(solve())).toMatchObject({ outcome: 'fault', fault: { errorCode: 403_101 } });
});

describe('a challenge', () => {
  test('can be answered once', () => {
    const { core, solve, clock } = drsFixture({ assigningDurationMs: 1000 });
    const answer = solve();
    expectOutcome(core.drs.confirm(answer), 'operation');
    void clock.advance(1000);
    expect(core.drs.confirm(answer)).toMatchObject({ outcome: 'fault', fault: { status: 401 } });
  });

  test('is used up by a wrong answer', () => {
    const { core, solve } = drsFixture();
    const answer = solve();
    for (const nonce of [Secret.fromText('x'), Secret.fromBytes(new Uint8Array(32))]) {
      expect(core.drs.confirm({ ...answer, nonce })).toMatchObject({ fault: { errorCode: 401_002 } });
    }
    expect(core.drs.confirm(answer)).toMatchObject({ fault: { errorCode: 401_002 } });
  });

  test('stays open for its device when somebody else guesses the correlation id', () => {
    const { core, solve } = drsFixture();
    const answer = solve();
    expect(core.drs.confirm({ ...answer, correlationId: 'guess' })).toMatchObject({ fault: { status: 401 } });
    expectOutcome(core.drs.confirm(answer), 'operation');
  });

  test('is voided by the next one', () => {
    const { core, solve } = drsFixture();
    const first = solve();
    const second = solve();
    expect(core.drs.confirm(first)).toMatchObject({ fault: { status: 401 } });
    expectOutcome(core.drs.confirm(second), 'operation');
  });

  test.each([
    [300_000, 'operation'],
    [300_001, 'fault'],
  ] as const)('that is %i ms old leads to an %s', async (age, outcome) => {
    const { core, solve, clock } = drsFixture();
    const answer = solve();
    await clock.advance(age);
    expectOutcome(core.drs.confirm(answer), outcome);
  });

  test('is void when the enrollment is for another TPM by then', () => {
    const { core, solve, identity } = drsFixture();
    const answer = solve();
    core.createTpmEnrollment({ registrationId: identity.registrationId, ...softwareTpm(1) });
    expect(core.drs.confirm(answer)).toMatchObject({ fault: { status: 401 } });
  });
});

describe('refusals', () => {
  test('an enrollment without a storage root key is a typed error, as the dialect has none to offer', () => {
    const { core, identity, tpm } = drsFixture();
    const { registrationId } = identity;
    const { endorsementKey } = tpm;
    core.createTpmEnrollment({ registrationId, endorsementKey });
    const registration = { registrationId, registrationIdOfPath: registrationId, endorsementKey };
    expect(core.drs.register(registration)).toMatchObject({
      outcome: 'fault',
      fault: { status: 400, errorCode: 400_004, message: 'Storage root key is invalid.' },
    });
  });

  test('another endorsement key than the enrolled one', () => {
    const { core, registration, events } = drsFixture();
    const { endorsementKey } = softwareTpm(1);
    expect(core.drs.register({ ...registration, endorsementKey })).toMatchObject({
      fault: { errorCode: 400_004, message: 'Endorsement key is invalid, or does not match the Enrollment.' },
    });
    expect(events.at(-1)).toMatchObject({
      event: 'request-refused',
      operation: 'drs-register',
      subject: 'device-1',
    });
  });

  test('a registration id nobody enrolled, and one that differs from the path', () => {
    const { core, registration } = drsFixture();
    const unknown = { ...registration, registrationId: 'unknown', registrationIdOfPath: 'unknown' };
    expect(core.drs.register(unknown)).toMatchObject({ fault: { errorCode: 404_201 } });
    expect(core.drs.register({ ...registration, registrationIdOfPath: 'other' })).toMatchObject({
      fault: { status: 400 },
    });
    const answer = { registrationId: 'unknown', correlationId: 'c', nonce: Secret.fromText('n') };
    expect(core.drs.confirm(answer)).toMatchObject({ fault: { errorCode: 404_201 } });
    expect(core.drs.lookUp({ registrationId: 'unknown', operationId: 'o' })).toMatchObject({
      fault: { errorCode: 404_201 },
    });
    expect(core.drs.lookUp({ registrationId: 'device-1', operationId: 'o' })).toMatchObject({
      fault: { errorCode: 404_202 },
    });
  });

  test('a disabled enrollment, and one that is for no TPM', () => {
    const { core, registration, identity, tpm } = drsFixture();
    const { registrationId } = identity;
    core.createTpmEnrollment({ registrationId, ...tpm, provisioningStatus: 'disabled' });
    expect(core.drs.register(registration)).toMatchObject({ fault: { status: 403 } });
    core.createSymmetricKeyEnrollment({ registrationId: 'key-device' });
    const other = { ...registration, registrationId: 'key-device', registrationIdOfPath: 'key-device' };
    expect(core.drs.register(other)).toMatchObject({ fault: { status: 401 } });
  });

  test('a form of nonce that does not exist', () => {
    const options = { clock: new VirtualClock(), random: seededRandom('x'), drsNonceForm: 'clear' };
    expect(() => createEmulatorCore(options as never)).toThrow(/drsNonceForm must be one of/);
  });
});

test('a registration that is under way is joined without another challenge', async () => {
  const { core, registration, solve, clock } = drsFixture({ assigningDurationMs: 1000 });
  const answer = solve();
  const { operationId } = expectOutcome(core.drs.confirm(answer), 'operation');
  expect(core.drs.register(registration)).toMatchObject({ outcome: 'operation', operationId });
  expect(core.drs.lookUp({ ...answer, operationId })).toMatchObject({ progress: { status: 'assigning' } });
  await clock.advance(1000);
  expect(core.drs.lookUp({ ...answer, operationId })).toMatchObject({ progress: { status: 'assigned' } });
  expect(core.drs.register(registration)).toMatchObject({ outcome: 'challenge' });
});

test('the properties of the device reach the allocation, and its refusal the device', () => {
  const seen: unknown[] = [];
  const { core, registration, tpm } = drsFixture({
    allocate: ({ payload }) => {
      seen.push(payload);
      return { errorCode: 400_207, errorMessage: 'no place' };
    },
  });
  const challenge = expectOutcome(
    core.drs.register({ ...registration, properties: { zone: 7 } }),
    'challenge',
  );
  const nonce = Secret.fromBytes(tpm.decryptNonce(challenge.nonce));
  const answer = { ...registration, ...challenge, nonce };
  const { operationId } = expectOutcome(core.drs.confirm(answer), 'operation');
  expect(core.drs.lookUp({ ...answer, operationId })).toMatchObject({
    progress: { status: 'failed', errorCode: 400_207, errorMessage: 'no place' },
  });
  expect(seen).toEqual([{ zone: 7 }]);
});
