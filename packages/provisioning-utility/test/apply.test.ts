import { describe, expect, test } from 'vitest';
import { GatewayError } from '@endorse/thingspro-edge';
import type { ProvisioningJob } from '@endorse/provisioning-utility';
import { stepNames } from '@endorse/provisioning-utility';
import { MemoryJournal, MemoryPasswords, MemorySite, provisionedSite, wholeJob } from './support/site.ts';

const withoutScope = (): ProvisioningJob => {
  const { writeBack: _scope, ...job } = wholeJob;
  return job;
};

describe('a whole run', () => {
  test('enrolls, tells, enables, configures, verifies and closes the doors, in this order', async () => {
    const site = await provisionedSite();
    const report = await site.apply(await site.plan());
    expect(report.devices).toMatchObject([
      {
        serial: 'TBBAA1234500',
        outcome: 'provisioned',
        assignedHub: 'hub.example.test',
        deviceId: 'tbbaa1234500',
      },
    ]);
    expect(report.devices[0]?.steps.map(({ step, result }) => `${step} ${result}`)).toEqual([
      'sign-in unchanged',
      'read-key unchanged',
      'set-time skipped',
      'enroll changed',
      'write-back changed',
      'enable changed',
      'reset skipped',
      'configure changed',
      'verify unchanged',
      'rotate-password skipped',
      'close-doors changed',
      'replace-certificate skipped',
      'move-port skipped',
    ]);
    expect(site.gateway.writes).toEqual([
      'writeProvisioning',
      'setProvisioningEnabled',
      'writeSetting service:opcuaserver',
      'writeSetting serial-console',
      'writeSetting ssh',
      'writeSetting discovery',
    ]);
  });

  test('[W8] the device is enrolled before it is told where to register', async () => {
    const site = await provisionedSite();
    const order: string[] = [];
    site.service.beforeCall = (name) => void order.push(name);
    site.gateway.beforeCall = (name) => void order.push(name);
    const plan = await site.plan();
    order.length = 0;
    site.service.assign('tbbaa1234500');
    await site.apply(plan);
    expect(order.indexOf('create')).toBeGreaterThan(-1);
    expect(order.indexOf('create')).toBeLessThan(order.indexOf('writeProvisioning'));
    expect(order.indexOf('writeProvisioning')).toBeLessThan(order.indexOf('setProvisioningEnabled'));
  });

  test('[C11] a plan makes no write anywhere', async () => {
    const site = await provisionedSite(3);
    await site.plan();
    expect(site.writes).toEqual([]);
  });

  test('[X2] a second complete run writes nothing, with the same plan and with a new one', async () => {
    const site = await provisionedSite(3);
    const plan = await site.plan();
    await site.apply(plan);
    site.forgetCalls();
    const again = await site.apply(plan);
    expect(again.totals).toMatchObject({ unchanged: 3 });
    const anew = await site.plan();
    expect(anew.devices.map(({ steps }) => steps.filter(({ action }) => action === 'update'))).toEqual([
      [],
      [],
      [],
    ]);
    await site.apply(anew);
    expect(site.writes).toEqual([]);
  });

  test('[L9] sessions are closed after success and after failure', async () => {
    const site = await provisionedSite(2);
    const [first, second] = site.gateways;
    if (second !== undefined) {
      second.beforeCall = (name) => {
        if (name === 'writeProvisioning')
          throw new GatewayError('ERR_GATEWAY_REFUSED', 'no', { status: 400 });
      };
    }
    const report = await site.apply(await site.plan());
    expect(report.devices.map(({ outcome }) => outcome)).toEqual(['provisioned', 'failed']);
    expect([first?.openSessions, second?.openSessions]).toEqual([0, 0]);
  });

  test('[X6] the report is sorted and the same for the same journal', async () => {
    const site = new MemorySite(0);
    for (const [index, serial] of ['zz9000001x', 'AA9000002x', 'mm9000003x'].entries())
      site.add(serial, index + 1);
    site.registerWhenEnabled();
    const report = await site.apply(await site.plan());
    expect(report.devices.map(({ key }) => key)).toEqual(['aa9000002x', 'mm9000003x', 'zz9000001x']);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('write-back', () => {
  test('[W1] without an ID scope it is skipped, and the run still succeeds', async () => {
    const site = await provisionedSite();
    const report = await site.apply(await site.plan(withoutScope()));
    expect(report.devices[0]?.outcome).toBe('provisioned');
    expect(report.devices[0]?.steps.find(({ step }) => step === 'write-back')?.result).toBe('skipped');
    expect(site.gateway.writes).not.toContain('writeProvisioning');
  });

  test('[W3] the same values already there are not written again', async () => {
    const site = await provisionedSite();
    site.gateway.provisioning = {
      ...site.gateway.provisioning,
      enabled: true,
      source: 'dps',
      method: 'tpm',
      scopeId: '0ne000A247E',
      registrationId: 'tbbaa1234500',
      globalEndpoint: 'https://global.azure-devices-provisioning.net',
    };
    await site.apply(await site.plan());
    expect(site.gateway.writes).not.toContain('writeProvisioning');
  });

  test('[W4] busy is tried again with pauses, another refusal is not', async () => {
    const site = await provisionedSite();
    let left = 2;
    site.gateway.beforeCall = (name) => {
      if (name === 'writeProvisioning' && (left -= 1) >= 0) {
        throw new GatewayError('ERR_GATEWAY_BUSY', 'service busy', { status: 400 });
      }
    };
    const report = await site.apply(await site.plan());
    expect(report.devices[0]?.steps.find(({ step }) => step === 'write-back')).toMatchObject({
      result: 'changed',
      attempts: 3,
    });

    const other = await provisionedSite();
    other.gateway.beforeCall = (name) => {
      if (name === 'writeProvisioning') throw new GatewayError('ERR_GATEWAY_REFUSED', 'bad', { status: 400 });
    };
    const failed = await other.apply(await other.plan());
    expect(failed.devices[0]?.steps.at(-1)).toMatchObject({
      step: 'write-back',
      result: 'failed',
      attempts: 1,
    });
  });

  test('[W5] what is written is read back, and a gateway that does not keep it fails', async () => {
    const site = await provisionedSite();
    const original = site.gateway.client.bind(site.gateway);
    site.gateway.client = (port) => {
      const client = original(port);
      return {
        ...client,
        signIn: async (...given) => ({
          ...(await client.signIn(...given)),
          writeProvisioning: async () => undefined,
        }),
      };
    };
    const report = await site.apply(await site.plan());
    expect(report.devices[0]).toMatchObject({ outcome: 'failed', problem: { code: 'ERR_WRITE_NOT_KEPT' } });
  });

  test('[W6] a changed scope on a device that was provisioned resets it, once', async () => {
    const site = await provisionedSite();
    site.gateway.provisioning = {
      ...site.gateway.provisioning,
      enabled: true,
      source: 'dps',
      scopeId: '0neOLD00000',
    };
    const plan = await site.plan();
    expect(plan.devices[0]?.steps.find(({ step }) => step === 'reset')).toMatchObject({ action: 'update' });
    await site.apply(plan);
    await site.apply(plan);
    expect(site.gateway.writes.filter((call) => call === 'resetEdge')).toHaveLength(1);
  });

  test('a device that has not registered in time is pending, which is no failure', async () => {
    const site = new MemorySite();
    const report = await site.apply(await site.plan());
    expect(report.devices[0]).toMatchObject({ outcome: 'pending' });
    site.registerWhenEnabled();
    const journal = new MemoryJournal();
    expect((await site.apply(await site.plan(), journal)).devices[0]?.outcome).toBe('unchanged');
  });

  test('a registration from before the change does not count', async () => {
    const site = new MemorySite();
    site.service.assign('tbbaa1234500');
    const report = await site.apply(await site.plan());
    expect(report.devices[0]?.outcome).toBe('pending');
  });

  test('a device that the service refused fails with the reason and a hint', async () => {
    const site = new MemorySite();
    site.service.beforeCall = (name) => {
      if (name === 'getRegistration' && site.gateway.provisioning.enabled) {
        site.service.assign('tbbaa1234500', {
          status: 'failed',
          errorCode: 401_001,
          errorMessage: 'IoT hub not found',
        });
      }
    };
    const report = await site.apply(await site.plan());
    expect(report.devices[0]?.problem).toMatchObject({
      code: 'ERR_REGISTRATION_FAILED',
      message: expect.stringContaining('401001 IoT hub not found'),
      remedy: expect.any(String),
    });
  });
});

describe('doors and settings', () => {
  test('[F1] a list of settings is read, compared and written; what is so already is left alone', async () => {
    const site = await provisionedSite();
    site.gateway.ssh = false;
    site.gateway.timeOffsetMs = 3_600_000;
    const [row] = site.inventory;
    if (row !== undefined) site.inventory[0] = { ...row, hostName: 'press-4' };
    site.passwords = new MemoryPasswords();
    const job = { ...wholeJob, configure: { ...wholeJob.configure, time: true, rotatePassword: true } };
    await site.apply(await site.plan(job));
    expect(site.gateway).toMatchObject({
      ssh: false,
      discovery: false,
      serialConsole: false,
      hostName: 'press-4',
      timeOffsetMs: 0,
      passwordNeverChanged: false,
    });
    expect(site.gateway.writes).not.toContain('writeSetting ssh');
  });

  test('[F3] what cuts the connection is last, doors just before it', async () => {
    const site = await provisionedSite();
    const job = { ...wholeJob, configure: { ...wholeJob.configure, httpsPort: 9443 } };
    const plan = await site.plan(job);
    await site.apply(plan);
    expect(site.gateway.writes.slice(-2)).toEqual(['writeSetting discovery', 'writeSetting https-port']);
    expect(stepNames.slice(-3)).toEqual(['close-doors', 'replace-certificate', 'move-port']);
    site.forgetCalls();
    // The plan has the old port; the second run finds the gateway at the new one.
    expect((await site.apply(plan)).totals).toMatchObject({ unchanged: 1 });
    expect(site.writes).toEqual([]);
  });

  test('[F4] turning HTTPS off is refused before anything is written, unless it is forced', async () => {
    const site = await provisionedSite();
    site.gateway.services.push({ id: 'httpsservice', available: true, enabled: true });
    const configure = { ...wholeJob.configure, services: { httpsservice: false } };
    const plan = await site.plan({ ...wholeJob, configure });
    expect(plan.devices[0]).toMatchObject({ verdict: 'failed', problem: { code: 'ERR_INVALID_ARGUMENT' } });
    await site.apply(plan);
    expect(site.writes).toEqual([]);
    const forced = await site.plan({ ...wholeJob, configure: { ...configure, allowLockout: true } });
    expect(forced.devices[0]?.verdict).toBe('ready');
  });

  test('[F6] a service that is unknown or not available is not applicable, not a failure', async () => {
    const site = await provisionedSite();
    const configure = { ...wholeJob.configure, services: { nosuchservice: false, dhcpserver2: true } };
    const report = await site.apply(await site.plan({ ...wholeJob, configure }));
    expect(report.devices[0]).toMatchObject({ outcome: 'provisioned' });
    expect(report.devices[0]?.steps.find(({ step }) => step === 'configure')).toMatchObject({
      result: 'not-applicable',
    });
  });

  test('a device that still answers a probe after its door was closed fails', async () => {
    const site = await provisionedSite();
    site.probe = () => true;
    const report = await site.apply(await site.plan());
    expect(report.devices[0]).toMatchObject({ outcome: 'failed', problem: { code: 'ERR_DOOR_OPEN' } });
  });

  test('the password is in the store before the gateway has it, and an interrupted change is found out', async () => {
    const site = await provisionedSite();
    const passwords = new MemoryPasswords();
    site.passwords = passwords;
    const job = { ...wholeJob, configure: { ...wholeJob.configure, rotatePassword: true } };
    const plan = await site.plan(job);
    // The gateway takes the password, and the answer is lost.
    const taken: string[] = [];
    site.gateway.beforeCall = (name) => {
      if (name !== 'changePassword') return;
      taken.push(passwords.put_.at(-1)?.state ?? 'nothing');
      site.gateway.password = passwords.put_.at(-1)?.text ?? '';
      throw new GatewayError('ERR_GATEWAY_OTHER', 'lost', { status: 500 });
    };
    expect((await site.apply(plan)).devices[0]?.outcome).toBe('failed');
    expect(taken).toEqual(['pending']);
    site.gateway.beforeCall = () => undefined;
    site.forgetCalls();
    const report = await site.apply(plan);
    expect(report.devices[0]?.steps.find(({ step }) => step === 'rotate-password')?.result).toBe('changed');
    expect(site.gateway.calls.filter((call) => call.startsWith('signIn'))).toHaveLength(1);
    expect(site.gateway.writes).not.toContain('changePassword');
  });
});
