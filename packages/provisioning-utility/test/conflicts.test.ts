import { describe, expect, test } from 'vitest';
import { Secret } from '@endorse/interface';
import { GatewayError } from '@endorse/thingspro-edge';
import { failure } from './support/memory-service.ts';
import {
  MemoryJournal,
  MemoryPasswords,
  MemorySite,
  endorsementKey,
  provisionedSite,
  wholeJob,
} from './support/site.ts';

describe('signing in', () => {
  const supplied = { name: 'operator', password: Secret.fromText('s3cret-of-site') };

  test('[L1] the factory pair is used only when it is allowed and the device is not known to be claimed', async () => {
    const site = new MemorySite(2);
    const [, claimed] = site.inventory;
    if (claimed !== undefined) site.inventory[1] = { ...claimed, state: 'claimed' };
    const plan = await site.plan();
    expect(plan.devices.map(({ verdict, problem }) => [verdict, problem?.code])).toEqual([
      ['ready', undefined],
      ['blocked', 'ERR_NO_CREDENTIALS'],
    ]);
    expect(site.gateways[1]?.calls).toEqual([]);
    site.credentials = {};
    expect((await site.plan()).devices.map(({ problem }) => problem?.code)).toEqual([
      'ERR_NO_CREDENTIALS',
      'ERR_NO_CREDENTIALS',
    ]);
  });

  test('[L2] a given pair comes first, and the factory pair is no fallback after it', async () => {
    const site = new MemorySite();
    site.credentials = { ...site.credentials, supplied };
    const plan = await site.plan();
    expect(plan.devices[0]).toMatchObject({
      verdict: 'blocked',
      problem: { code: 'ERR_GATEWAY_SIGN_IN_REFUSED' },
    });
    expect(site.gateway.calls).toEqual(['signIn operator s3cret-of-site']);
  });

  test('[L3] one refusal marks the device: there is no second attempt', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    site.gateway.password = 'changed meanwhile';
    site.forgetCalls();
    const report = await site.apply(plan);
    expect(report.devices[0]).toMatchObject({
      outcome: 'blocked',
      problem: { code: 'ERR_GATEWAY_SIGN_IN_REFUSED' },
    });
    expect(site.gateway.calls).toHaveLength(1);
  });

  test('[L4] a locked account stops the device without a retry', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    let attempts = 0;
    site.gateway.beforeCall = (name) => {
      if (name !== 'signIn') return;
      attempts += 1;
      throw new GatewayError('ERR_GATEWAY_LOCKED', 'locked', { status: 423 });
    };
    const report = await site.apply(plan);
    expect(report.devices[0]).toMatchObject({ outcome: 'blocked', problem: { code: 'ERR_GATEWAY_LOCKED' } });
    expect(attempts).toBe(1);
  });

  test('[L8] passwords are absent from plan, journal and report, also when a gateway repeats them', async () => {
    const site = await provisionedSite();
    site.passwords = new MemoryPasswords();
    site.gateway.password = supplied.password.revealText();
    site.credentials = { supplied };
    site.gateway.beforeCall = (name) => {
      if (name === 'setProvisioningEnabled') {
        throw new GatewayError('ERR_GATEWAY_REFUSED', `bad: s3cret-of-site for operator`, { status: 400 });
      }
    };
    const journal = new MemoryJournal();
    const plan = await site.plan({ ...wholeJob, configure: { ...wholeJob.configure, rotatePassword: true } });
    const report = await site.apply(plan, journal);
    const written = JSON.stringify([plan, journal.entries, report]);
    expect(written).toContain('[redacted]');
    expect(written).not.toContain('s3cret-of-site');
    expect(written).not.toContain(Buffer.from('s3cret-of-site').toString('base64'));
  });

  test('[L8] a password that came from the store is kept out as well', async () => {
    const site = await provisionedSite();
    const passwords = new MemoryPasswords();
    await passwords.put('TBBAA1234500', {
      name: 'admin',
      password: Secret.fromText('own-password-of-4500'),
      state: 'set',
    });
    site.passwords = passwords;
    site.gateway.password = 'own-password-of-4500';
    site.gateway.beforeCall = (name) => {
      if (name === 'setProvisioningEnabled') {
        throw new GatewayError('ERR_GATEWAY_REFUSED', 'bad: own-password-of-4500', { status: 400 });
      }
    };
    const report = await site.apply(await site.plan());
    expect(report.devices[0]?.problem?.message).toBe('bad: [redacted]');
  });

  test('[L12] the factory state of the password is recorded', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    expect(plan.devices[0]?.observed?.passwordNeverChanged).toBe(true);
    const journal = new MemoryJournal();
    await site.apply(plan, journal);
    expect(
      journal.entries.find((entry) => entry.event === 'step-finished' && entry.step === 'sign-in'),
    ).toMatchObject({
      facts: { passwordNeverChanged: true },
    });
  });
});

describe('keys', () => {
  test('[E3] a key that is not shown is asked for by selecting DPS with TPM; without one the device is blocked', async () => {
    const site = await provisionedSite(2);
    const [hidden, none] = site.gateways;
    if (hidden !== undefined) hidden.keyIsHidden = true;
    if (none !== undefined) none.hasTpm = false;
    const plan = await site.plan();
    expect(site.writes).toEqual([]);
    const report = await site.apply(plan);
    expect(report.devices.map(({ outcome, problem }) => [outcome, problem?.code])).toEqual([
      ['provisioned', undefined],
      ['blocked', 'ERR_GATEWAY_NO_ENDORSEMENT_KEY'],
    ]);
    expect(hidden?.writes).toContain('prepare');
  });

  test('[E4] two devices with one key are in conflict, both', async () => {
    const site = await provisionedSite(2);
    const [first, second] = site.gateways;
    if (first !== undefined && second !== undefined) second.endorsementKey = first.endorsementKey;
    const plan = await site.plan();
    expect(plan.devices.map(({ verdict, problem }) => [verdict, problem?.code])).toEqual([
      ['conflict', 'ERR_KEY_DUPLICATE'],
      ['conflict', 'ERR_KEY_DUPLICATE'],
    ]);
    expect((await site.apply(plan)).totals).toMatchObject({ conflict: 2 });
    expect(site.writes).toEqual([]);
  });

  test('[E6] another unit at the address stops the device', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    site.gateway.serialNumber = 'TBBAA9999999';
    const report = await site.apply(plan);
    expect(report.devices[0]).toMatchObject({
      outcome: 'conflict',
      problem: { code: 'ERR_SERIAL_MISMATCH' },
    });
    expect([site.writes, site.gateway.openSessions]).toEqual([[], 0]);
  });

  test('[E7] another key than the known one is a conflict, not an update', async () => {
    const site = await provisionedSite();
    const [row] = site.inventory;
    if (row !== undefined) site.inventory[0] = { ...row, endorsementKey: endorsementKey(99) };
    expect((await site.plan()).devices[0]).toMatchObject({
      verdict: 'conflict',
      problem: { code: 'ERR_KEY_CHANGED' },
    });
    if (row !== undefined) site.inventory[0] = row;
    const plan = await site.plan();
    site.gateway.endorsementKey = endorsementKey(98);
    const report = await site.apply(plan);
    expect(report.devices[0]).toMatchObject({ outcome: 'conflict', problem: { code: 'ERR_KEY_CHANGED' } });
    expect(site.writes).toEqual([]);
  });

  test('[D3] two rows with one serial are in conflict, and neither is touched', async () => {
    const site = new MemorySite();
    site.add('tbbaa1234500', 2);
    const plan = await site.plan();
    expect(plan.devices.map(({ key, problem }) => [key, problem?.code])).toEqual([
      ['tbbaa1234500', 'ERR_SERIAL_DUPLICATE'],
      ['tbbaa1234500#2', 'ERR_SERIAL_DUPLICATE'],
    ]);
    expect(site.gateways.flatMap(({ calls }) => calls)).toEqual([]);
  });

  test('[D4] a device that discovery found ineligible is in the plan and not touched', async () => {
    const site = new MemorySite(0);
    site.add('SWITCH-0001', 1, { ineligibleFor: ['foreign-model'] });
    const plan = await site.plan();
    expect(plan.devices[0]).toMatchObject({ verdict: 'skipped', problem: { code: 'ERR_DEVICE_INELIGIBLE' } });
    expect(site.gateway.calls).toEqual([]);
  });
});

describe('the service', () => {
  test('[C7] no entry is created, the same key left alone, another key a conflict', async () => {
    const site = await provisionedSite(3);
    const key = (index: number) => Uint8Array.from(Buffer.from(endorsementKey(index), 'base64'));
    const settings = wholeJob.enrollment;
    site.service.put({
      registrationId: 'tbbaa1234501',
      attestation: { type: 'tpm', endorsementKey: key(2) },
      ...settings,
    });
    site.service.put({
      registrationId: 'tbbaa1234502',
      attestation: { type: 'tpm', endorsementKey: key(77) },
    });
    const plan = await site.plan();
    const actions = plan.devices.map(({ steps }) => steps.find(({ step }) => step === 'enroll')?.action);
    expect(actions).toEqual(['create', 'unchanged', 'conflict']);
    const report = await site.apply(plan);
    expect(report.devices.map(({ outcome }) => outcome)).toEqual(['provisioned', 'provisioned', 'conflict']);
    expect(site.service.writes).toEqual(['create tbbaa1234500']);
  });

  test('[C8] an update sends the etag; an entry that changed since the plan makes it stale', async () => {
    const site = await provisionedSite();
    const attestation = {
      type: 'tpm',
      endorsementKey: Uint8Array.from(Buffer.from(endorsementKey(1), 'base64')),
    } as const;
    const before = site.service.put({ registrationId: 'tbbaa1234500', attestation });
    const plan = await site.plan();
    await site.apply(plan);
    expect(site.service.writes).toEqual([`update tbbaa1234500 ${before.etag}`]);

    const other = await provisionedSite();
    other.service.put({ registrationId: 'tbbaa1234500', attestation });
    const stale = await other.plan();
    other.service.put({ registrationId: 'tbbaa1234500', attestation, deviceId: 'somebody-elses' });
    const report = await other.apply(stale);
    expect(report.devices[0]).toMatchObject({
      outcome: 'conflict',
      problem: { code: 'ERR_PLAN_STALE', remedy: 'Make a new plan and look at it.' },
    });
    const { beforeCall } = other.service;
    const fresh = await other.plan();
    other.service.beforeCall = async (name) => {
      await beforeCall(name);
      if (name === 'update') throw failure(412);
    };
    expect((await other.apply(fresh)).devices[0]?.problem?.code).toBe('ERR_PLAN_STALE');
  });

  test('an answer that was lost is found again: 409 for an entry that is ours is no conflict', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    let isLost = true;
    const { beforeCall } = site.service;
    site.service.beforeCall = async (name) => {
      await beforeCall(name);
      if (name !== 'create' || !isLost) return;
      isLost = false;
      const endorsementKeyBytes = Uint8Array.from(Buffer.from(endorsementKey(1), 'base64'));
      site.service.put({
        registrationId: 'tbbaa1234500',
        attestation: { type: 'tpm', endorsementKey: endorsementKeyBytes },
        ...wholeJob.enrollment,
      });
    };
    expect((await site.apply(plan)).devices[0]?.outcome).toBe('provisioned');
  });

  test('[C9] a throttled call waits as long as the service asks', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    const times: number[] = [];
    const { beforeCall } = site.service;
    site.service.beforeCall = async (name) => {
      await beforeCall(name);
      if (name !== 'create') return;
      times.push(site.clock.now());
      if (times.length === 1) throw failure(429, 17_000);
    };
    await site.apply(plan);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(17_000);
  });

  test('[C12] edge capability, twin tags, allocation policy and hubs are passed through', async () => {
    const site = await provisionedSite();
    const enrollment = {
      capabilities: { iotEdge: true },
      initialTwin: { tags: { line: 4 }, properties: { desired: { interval: 30 } } },
      allocationPolicy: 'static',
      iotHubHostName: 'hub-1.azure-devices.net',
      reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: false },
    } as const;
    await site.apply(await site.plan({ ...wholeJob, enrollment }));
    expect(site.service.stored.get('tbbaa1234500')).toMatchObject(enrollment);
  });

  test('a plan that somebody edited, or whose gateway changed meanwhile, is refused', async () => {
    const site = await provisionedSite();
    const plan = await site.plan();
    site.gateway.provisioning = { ...site.gateway.provisioning, scopeId: '0neSOMEBODY' };
    expect((await site.apply(plan)).devices[0]).toMatchObject({
      outcome: 'conflict',
      problem: { code: 'ERR_PLAN_STALE', message: expect.stringContaining('scopeId') },
    });
    const fresh = await site.plan();
    const settled = await site.apply(fresh);
    expect(settled.devices[0]?.outcome).toBe('provisioned');
  });

  test('a setting that somebody changed to a third value since the plan is refused', async () => {
    const site = await provisionedSite();
    const [row] = site.inventory;
    if (row !== undefined) site.inventory[0] = { ...row, hostName: 'press-4' };
    const plan = await site.plan();
    site.gateway.hostName = 'somebody-elses';
    expect((await site.apply(plan)).devices[0]).toMatchObject({
      outcome: 'conflict',
      problem: {
        code: 'ERR_PLAN_STALE',
        message: 'host-name was Moxa when the plan was made, and is somebody-elses now',
      },
    });
    expect(site.gateway.hostName).toBe('somebody-elses');
  });
});
