/** Devices that are kept out: by their hub whatever they have, by their enrollment when they register. */
import { expect, test } from 'vitest';
import { coreFixture, expectOutcome } from './support/core-fixture.ts';
import { deviceKey, hubFixture } from './support/hub-fixture.ts';

test('a blocked device is cut off and refused with the key it has, until it is let in again', async () => {
  const { hub, token, connect } = hubFixture();
  const { ends } = await connect();
  expect(hub.blockDevice('Dev-1', true)).toBe(true);
  expect(ends).toEqual(['device-blocked']);
  const send = async () =>
    hub.acceptEvent({ deviceId: 'Dev-1', token: await token(), body: new Uint8Array() });
  expect(await send()).toMatchObject({ status: 401, reason: 'the device is blocked on this hub' });
  expect(hub.listDevices()).toMatchObject([{ deviceId: 'Dev-1', isBlocked: true }]);
  // Registering again gives it a credential, and nothing else.
  hub.writeDevice({ deviceId: 'Dev-1', keys: [deviceKey] });
  expect(await send()).toMatchObject({ status: 401 });
  hub.blockDevice('Dev-1', false);
  expect(await send()).toBeUndefined();
});

test('who does not have the key of a blocked device does not learn that it is blocked', async () => {
  const { hub, token } = hubFixture();
  hub.blockDevice('Dev-1', true);
  const wrong = await token(Buffer.alloc(32, 1));
  const refusal = hub.acceptEvent({ deviceId: 'Dev-1', token: wrong, body: new Uint8Array() });
  expect(refusal?.reason).toMatch(/signature/);
  expect(hub.blockDevice('nobody', true)).toBe(false);
});

test('disabling an enrollment stops the next registration, not what has been registered', async () => {
  const { core, tpm, identity, solveChallenge } = coreFixture();
  const register = async () => {
    const credential = { kind: 'token', token: await solveChallenge() } as const;
    const { operation } = expectOutcome(core.register({ ...identity, credential }), 'operation');
    return { operation, credential };
  };
  const { operation, credential } = await register();
  core.queryOperation({ ...identity, credential, operationId: operation.operationId });
  core.createTpmEnrollment({
    registrationId: identity.registrationId,
    endorsementKey: tpm.endorsementKey,
    provisioningStatus: 'disabled',
  });
  expect((await register()).operation).toMatchObject({ operationId: '', status: 'disabled' });
  expect(core.hubs[0]?.listDevices()).toHaveLength(1);
});
