import { VirtualClock } from '@endorse/interface/virtual-clock';
import { describe, expect, test } from 'vitest';
import { signIn, startGateway } from './support/gateway.ts';

const endorsementKey = 'AToAAQALAAMA'.padEnd(424, 'A');
const provisioning = {
  scopeId: '0ne00000001',
  registrationId: 'tbbdb1179242',
  globalEndpoint: 'https://global.azure-devices-provisioning.net',
};

describe('the endorsement key', () => {
  test('[E1] [E5] comes from the documented field, and no request asks for a storage root key', async () => {
    await using gateway = await startGateway({ endorsementKey: `${endorsementKey}\n` });
    await using session = await signIn(gateway);
    expect(await session.readEndorsementKey({ prepare: true })).toBe(endorsementKey);
    expect(gateway.lines).toEqual(['POST /auth', 'GET /azure-iotedge']);
    expect(gateway.requests.map(({ text }) => text).join('')).not.toMatch(/srk|storage/i);
  });

  test('[E3] that is not shown is asked for once more after DPS was selected, when that is allowed', async () => {
    let selected = false;
    await using gateway = await startGateway({
      answer: ({ method, path }) => {
        if (path !== '/azure-iotedge') return undefined;
        if (method === 'PATCH') selected = true;
        return { status: 200, body: { data: { provisioning: selected ? { endorsementKey } : {} } } };
      },
    });
    await using session = await signIn(gateway);
    await expect(session.readEndorsementKey()).rejects.toMatchObject({
      code: 'ERR_GATEWAY_NO_ENDORSEMENT_KEY',
    });
    expect(gateway.lines).not.toContain('PATCH /azure-iotedge');
    expect(await session.readEndorsementKey({ prepare: true })).toBe(endorsementKey);
    const patch = gateway.requests.find(({ method }) => method === 'PATCH');
    expect(JSON.parse(patch?.text ?? '')).toEqual({ provisioning: { source: 'dps', method: 'tpm' } });
  });

  test('[E3] of a gateway that wants everything at once is had by writing that, without letting it connect', async () => {
    let written: unknown;
    await using gateway = await startGateway({
      family: 'aig-302',
      answer: ({ method, path, text }) => {
        if (path !== '/azure-iotedge') return undefined;
        const error = { code: 400, message: 'invalid input, err: dps provisioning need scopeId' };
        if (method === 'PATCH') {
          if (!text.includes('scopeId')) return { status: 400, body: { error } };
          written = JSON.parse(text);
        }
        const shown = written === undefined ? {} : { endorsementKey };
        return { status: 200, body: { data: { provisioning: shown } } };
      },
    });
    await using session = await signIn(gateway);
    const refused = session.readEndorsementKey({ prepare: true });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_GATEWAY_NO_ENDORSEMENT_KEY' });
    expect(await session.readEndorsementKey({ prepare: provisioning })).toBe(endorsementKey);
    expect(written).toEqual({ provisioning: { source: 'dps', method: 'tpm', ...provisioning } });
  });

  test.each([
    ['[E3] that stays hidden', { status: 200, body: { data: {} } }, 'ERR_GATEWAY_NO_ENDORSEMENT_KEY'],
    [
      '[E3] of a gateway that wants everything at once',
      {
        status: 400,
        body: { error: { code: 400, message: 'invalid input, err: dps provisioning need scopeId' } },
      },
      'ERR_GATEWAY_NO_ENDORSEMENT_KEY',
    ],
    [
      '[E3] [L11] of a gateway without a TPM',
      {
        status: 400,
        body: {
          error: {
            code: 400,
            message: 'invalid input, err: dps-tpm mode but this device is not support TPM',
          },
        },
      },
      'ERR_GATEWAY_NO_TPM',
    ],
  ])('%s is a named error', async (_what, answer, code) => {
    await using gateway = await startGateway({
      answer: ({ method }) => (method === 'PATCH' ? answer : undefined),
    });
    await using session = await signIn(gateway);
    await expect(session.readEndorsementKey({ prepare: true })).rejects.toMatchObject({
      code,
      retryable: false,
    });
  });
});

describe('the write-back', () => {
  test('[W2] [W5] has exactly the documented fields, is read back as written, and enabling is a step of its own', async () => {
    await using gateway = await startGateway({ family: 'aig-302' });
    await using session = await signIn(gateway);
    await session.writeProvisioning(provisioning);
    const { source, method, enabled, ...written } = (await session.getEdgeConfiguration()).provisioning;
    expect({ source, method, enabled }).toEqual({ source: 'dps', method: 'tpm', enabled: false });
    expect(written).toMatchObject(provisioning);
    await session.setProvisioningEnabled(true);
    expect((await session.getEdgeConfiguration()).provisioning.enabled).toBe(true);
    const bodies = gateway.requests
      .filter(({ method: used }) => used === 'PATCH')
      .map(({ text }) => JSON.parse(text) as unknown);
    expect(bodies).toEqual([
      { provisioning: { source: 'dps', method: 'tpm', ...provisioning } },
      { provisioning: { enable: true } },
    ]);
  });

  test.each([
    ['a busy gateway', 'Azure IoT Edge service is busy, please try again later.', 'ERR_GATEWAY_BUSY', true],
    ['a refusal', 'input config fail', 'ERR_GATEWAY_REFUSED', false],
  ])('[W4] says of %s whether trying again can help', async (_what, error, code, retryable) => {
    await using gateway = await startGateway({
      answer: ({ method }) => (method === 'PATCH' ? { status: 400, body: { error } } : undefined),
    });
    await using session = await signIn(gateway);
    const refused = session.writeProvisioning(provisioning);
    await expect(refused).rejects.toMatchObject({
      code,
      retryable,
      message: expect.stringContaining(error) as string,
    });
  });

  test.each([
    { scopeId: '' },
    { scopeId: 'x'.repeat(129) },
    { registrationId: 'Upper' },
    { registrationId: 'a.b' },
    { registrationId: 'x'.repeat(129) },
    { globalEndpoint: 'http://global.azure-devices-provisioning.net' },
    { globalEndpoint: 'https://user@host/path' },
  ])('[W7] refuses %o before any IO', async (wrong) => {
    await using gateway = await startGateway();
    await using session = await signIn(gateway);
    await expect(session.writeProvisioning({ ...provisioning, ...wrong })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: `provisioning.${Object.keys(wrong)[0]}`,
    });
    expect(gateway.lines).toEqual(['POST /auth']);
  });

  test('[W6] a reset is requested and waited for, as long as it takes and no longer', async () => {
    const clock = new VirtualClock();
    let looks = 0;
    await using gateway = await startGateway({
      answer: ({ method, path }) => {
        if (method !== 'GET' || path !== '/azure-iotedge') return undefined;
        looks += 1;
        return { status: 200, body: { data: { iotedge: { status: looks < 3 ? 'resetting' : 'running' } } } };
      },
    });
    await using session = await signIn(gateway, { clock });
    await session.resetEdge();
    const back = session.waitForEdgeRuntime({ pauseMs: 1_000 });
    for (const look of [1, 2]) {
      await expect.poll(() => clock.pendingSleeps).toBe(1);
      expect(looks).toBe(look);
      await clock.advance(1_000);
    }
    expect((await back).runtime.status).toBe('running');
    const never = session.waitForEdgeRuntime({ statuses: ['exited'], timeoutMs: 1_500, pauseMs: 1_000 });
    const outcome = expect(never).rejects.toMatchObject({ code: 'ERR_TIMEOUT', state: 'running' });
    for (let wake = 0; wake < 2; wake += 1) {
      await expect.poll(() => clock.pendingSleeps).toBe(1);
      await clock.advance(1_000);
    }
    await outcome;
  });
});

test('[E6] the identity has what is compared with a discovered device', async () => {
  await using gateway = await startGateway({ family: 'aig-302' });
  await using session = await signIn(gateway);
  expect(await session.getIdentity()).toEqual({
    serialNumber: 'TBBDB1179242',
    modelName: 'AIG-302-T-EU-AZU-LX',
    hostName: 'moxa',
    softwareVersion: '2.5.0-4211',
    firmwareVersion: '1.2',
    description: undefined,
  });
  expect(await session.getNetworkPorts()).toEqual([
    { ip: '192.168.3.127', mac: '00:90:e8:00:00:01', enabled: true },
  ]);
});
