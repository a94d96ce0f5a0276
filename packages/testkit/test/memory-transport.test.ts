// A whole TPM registration in memory: emulator core, software TPM, virtual clock.
import { describe, expect, test } from 'vitest';
import { createEmulatorCore } from '@endorse/emulator/core';
import { systemRandom } from '@endorse/interface/node';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createSasToken, registrationResource } from '@endorse/protocol';
import type { SoftwareTpm } from '@endorse/testkit';
import { createMemoryTransport, createSoftwareTpm } from '@endorse/testkit';

const { signal } = new AbortController();

/** An enrolled device with an open session. */
async function enroll(tpm: SoftwareTpm, assigningDurationMs = 0) {
  const clock = new VirtualClock();
  const core = createEmulatorCore({ clock, random: systemRandom, assigningDurationMs, retryAfterSeconds: 3 });
  const registrationId = await tpm.getRegistrationId();
  const endorsementKey = await tpm.getEndorsementKey();
  const storageRootKey = await tpm.getStorageRootKey();
  core.createTpmEnrollment({ registrationId, endorsementKey });
  const target = { provisioningHost: 'dps.example.test', idScope: core.idScope, registrationId };
  const session = createMemoryTransport(core).openSession(target, { kind: 'tpm' });
  const registrationInfo = { registrationId, endorsementKey, storageRootKey };
  const activate = async () => {
    const challenge = await session.getAuthenticationChallenge(
      { ...target, ...registrationInfo },
      { signal },
    );
    await tpm.activateIdentityKey(challenge.activationBlob);
    return createSasToken({
      resource: registrationResource(core.idScope, registrationId),
      expiresAt: clock.now() + 3_600_000,
      keyName: challenge.keyName,
      sign: (data) => tpm.signWithIdentity(data),
    });
  };
  return { clock, core, target, session, registrationInfo, registrationId, activate };
}

describe('the memory transport', () => {
  test('carries a whole registration', async () => {
    await using tpm = await createSoftwareTpm({ algorithm: 'ecc' });
    const { clock, session, registrationInfo, registrationId, activate } = await enroll(tpm, 1000);
    const sasToken = await activate();
    const first = await session.register({ sasToken, registrationInfo }, { signal });
    expect(first).toMatchObject({ operation: { status: 'assigning' }, retryAfterMs: 3000 });
    await clock.advance(1000);
    const { operationId } = first.operation;
    const last = await session.queryOperationStatus({ sasToken, registrationId, operationId }, { signal });
    const state = last.operation.registrationState;
    expect(state).toMatchObject({ status: 'assigned', deviceId: registrationId });
    const hubBlob = state?.tpm?.authenticationKey;
    expect(hubBlob).toBeInstanceOf(Uint8Array);
    await tpm.activateIdentityKey(hubBlob ?? new Uint8Array());
  });

  test('turns the faults of the service into service errors', async () => {
    await using tpm = await createSoftwareTpm({ algorithm: 'ecc' });
    const { session, target, registrationInfo, activate } = await enroll(tpm);
    const stranger = { ...registrationInfo, registrationId: 'stranger' };
    await expect(
      session.getAuthenticationChallenge({ ...target, ...stranger }, { signal }),
    ).rejects.toMatchObject({ code: 'ERR_SERVICE_NOT_FOUND', serviceCode: 404_201, status: 404 });
    const stale = await activate();
    await activate();
    await expect(session.register({ sasToken: stale, registrationInfo }, { signal })).rejects.toMatchObject({
      code: 'ERR_SERVICE_UNAUTHORIZED',
    });
    await expect(session.register({ registrationInfo }, { signal })).rejects.toMatchObject({ status: 401 });
  });

  test('keeps the contract on abort, close and other attestations', async () => {
    await using tpm = await createSoftwareTpm({ algorithm: 'ecc' });
    const { core, session, target, registrationInfo } = await enroll(tpm);
    const reason = new Error('enough');
    const request = { ...target, ...registrationInfo };
    const aborted = { signal: AbortSignal.abort(reason) };
    await expect(session.getAuthenticationChallenge(request, aborted)).rejects.toBe(reason);
    const controller = new AbortController();
    const asking = session.getAuthenticationChallenge(request, { signal: controller.signal });
    controller.abort(reason);
    await expect(asking).rejects.toBe(reason);
    await session.close();
    await session.close();
    await expect(session.getAuthenticationChallenge(request, { signal })).rejects.toMatchObject({
      code: 'ERR_SESSION_CLOSED',
    });
    expect(() => createMemoryTransport(core).openSession(target, { kind: 'symmetric-key' })).toThrowError(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_CAPABILITY', required: 'symmetric-key' }),
    );
  });
});
