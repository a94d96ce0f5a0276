/** The simulated gateways by themselves: found, signed in to, provisioned and registered with the parts of the utility. */
import { collectDevices } from '@endorse/discovery';
import type { EmulatorOptions } from '@endorse/emulator';
import type { EnrollmentClient } from '@endorse/enrollment-client';
import { createEnrollmentClient, tpmEnrollment } from '@endorse/enrollment-client';
import { Secret } from '@endorse/interface';
import type { GatewaySession } from '@endorse/thingspro-edge';
import { createGatewayClient, createMemoryPins } from '@endorse/thingspro-edge';
import { describe, expect, test } from 'vitest';
import type { FleetSpecOptions } from '../gateways/fleet-specs.ts';
import { describeFleet } from '../gateways/fleet-specs.ts';
import type { SimulatedGateway } from '../gateways/gateway.ts';
import { factoryPassword, factoryUser } from '../gateways/spec.ts';
import type { Site, SiteOptions } from '../gateways/site.ts';
import { startSite } from '../gateways/site.ts';

interface TestSite extends Site {
  readonly enrollments: EnrollmentClient['enrollments'];
  gateway(index: number): SimulatedGateway;
}

async function startTestSite(
  specOptions: Partial<FleetSpecOptions>,
  emulator: EmulatorOptions = {},
  siteOptions: Pick<SiteOptions, 'carrier' | 'tpm'> = {},
): Promise<TestSite> {
  const specs = describeFleet({ count: 1, quirks: false, port: 0, network: [41, 0], ...specOptions });
  const site = await startSite({ specs, emulator, algorithm: 'ecc', ...siteOptions });
  const { serviceConnectionString, caPem } = site.emulator;
  const client = createEnrollmentClient({ connectionString: serviceConnectionString, ca: caPem });
  return {
    ...site,
    enrollments: client.enrollments,
    gateway: (index) => site.fleet.gateways[index] as SimulatedGateway,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await site.stop();
    },
  };
}

function signIn(gateway: SimulatedGateway): Promise<GatewaySession> {
  const pins = createMemoryPins({ gateway: gateway.fingerprint });
  const trust = { mode: 'strict', pins } as const;
  const client = createGatewayClient({
    host: gateway.spec.address,
    port: gateway.port,
    pinName: 'gateway',
    trust,
  });
  return client.signIn({ name: factoryUser, password: Secret.fromText(factoryPassword) });
}

/** What the seed tells: key, enrollment, write-back. */
async function provision(site: TestSite, gateway: SimulatedGateway): Promise<string> {
  await using session = await signIn(gateway);
  const registrationId = (await session.getIdentity()).serialNumber.toLowerCase();
  const endorsementKey = await session.readEndorsementKey({ prepare: true });
  await site.enrollments.create(tpmEnrollment({ registrationId, endorsementKey }));
  await writeBack(site, session, registrationId);
  return registrationId;
}

async function writeBack(
  { emulator, globalEndpoint }: Site,
  session: GatewaySession,
  registrationId: string,
): Promise<void> {
  await session.writeProvisioning({ scopeId: emulator.idScope, registrationId, globalEndpoint });
  await session.setProvisioningEnabled(true);
}

const registered = (gateway: SimulatedGateway): boolean =>
  gateway.events.some(({ event }) => event === 'registered');
const patience = { timeout: 20_000 };

describe('discovery', () => {
  test('[S1] [D1] [D4] [D12] a fleet with the oddities of the field is found, each device once', async () => {
    await using site = await startTestSite({ count: 12, quirks: true });
    const { devices, conflicts } = await collectDevices({
      port: site.discoveryPort,
      loopback: true,
      interfaces: ['lo'],
      windowMs: 2_500,
      eligibility: { models: ['AIG-*', 'UC-*'] },
    });
    expect(devices).toHaveLength(13);
    const at = (index: number): (typeof devices)[number] | undefined =>
      devices.find(({ sources }) => sources.includes(site.gateway(index).spec.address));
    // Two placeholders, a switch; the rest may be provisioned.
    expect(devices.filter(({ ineligibleFor }) => ineligibleFor.length > 0)).toHaveLength(3);
    expect(conflicts).toHaveLength(1);
    expect(at(12)?.ineligibleFor).toContain('foreign-model');
    expect(at(3)?.ineligibleFor).toContain('serial-conflict');
    expect(at(5)?.warnings).toContain('zero-mac');
    expect(at(9)?.warnings).toContain('announced-address-unreachable');
    for (const index of [0, 1, 2, 11]) {
      const { address } = site.gateway(index).spec;
      expect(at(index)?.apiUrl).toBe(`https://${address}:${site.gateway(index).port}/api/v1`);
    }
  });

  test('[D4] a gateway that is seen later at another address, as a slightly different model, is the same device', async () => {
    await using site = await startTestSite({ count: 1 });
    const gateway = site.gateway(0);
    const find = async (): Promise<
      Awaited<ReturnType<typeof collectDevices>>['devices'][number] | undefined
    > => {
      const { address, serialNumber: serial } = gateway.spec;
      const target = { port: site.discoveryPort, loopback: true, broadcast: false, targets: [address] };
      const { devices } = await collectDevices({
        ...target,
        filter: { serial },
        windowMs: 5_000,
        expectedCount: 1,
      });
      return devices[0];
    };
    const before = await find();
    const { fingerprint } = gateway;
    const moved = gateway.spec.address.replace(/\d+$/, '200');
    await gateway.moveTo(moved, `${gateway.spec.model}-T-LX`);
    const after = await find();
    expect(after).toMatchObject({
      key: before?.key,
      sources: [moved],
      apiUrl: expect.stringContaining(moved),
    });
    expect(after?.announcement.model).not.toBe(before?.announcement.model);
    // The pin goes by the serial number: nobody has to trust it anew.
    expect(gateway.fingerprint).toBe(fingerprint);
    await using session = await signIn(gateway);
    expect((await session.getIdentity()).serialNumber).toBe(gateway.spec.serialNumber);
  });

  test.each([
    ['aig-301', 0],
    ['aig-302', 3],
  ] as const)('[S2] [F7] an %s whose discovery was turned off stays silent', async (family, index) => {
    await using site = await startTestSite({ count: index + 1 });
    const gateway = site.gateway(index);
    expect(gateway.spec.family).toBe(family);
    await using session = await signIn(gateway);
    await session.writeSetting({ setting: 'discovery', value: false });
    const ask = {
      port: site.discoveryPort,
      loopback: true,
      broadcast: false,
      targets: [gateway.spec.address],
      // On loopback, what nobody listens for at an address reaches somebody else.
      filter: { serial: gateway.spec.serialNumber },
      windowMs: 600,
    };
    expect((await collectDevices(ask)).devices).toEqual([]);
    await session.writeSetting({ setting: 'discovery', value: true });
    expect((await collectDevices({ ...ask, windowMs: 5_000, expectedCount: 1 })).devices).toHaveLength(1);
  });
});

describe('registration', () => {
  test('[N1] [N3] [N4] [E5] [W8] a provisioned gateway registers with its own TPM, and its API never shows the key', async () => {
    const answers: string[] = [];
    await using site = await startTestSite({});
    const gateway = site.gateway(0);
    const registrationId = await provision(site, gateway);
    await expect.poll(() => registered(gateway), patience).toBe(true);
    expect(gateway.assignment).toEqual({ assignedHub: site.emulator.assignedHub, deviceId: registrationId });
    expect(gateway.events.map(({ event }) => event)).not.toContain('registration-failed');
    await using session = await signIn(gateway);
    answers.push(JSON.stringify(await session.getEdgeConfiguration()));
    expect((await session.getEdgeConfiguration()).runtime.status).toBe('running');
    expect(answers.join('')).not.toMatch(/symmetric|nonce|hub/i);
  });

  test('[N2] a gateway that shows the key of another TPM never registers', async () => {
    await using site = await startTestSite({ faults: { 0: ['foreign-key'] } });
    const gateway = site.gateway(0);
    await provision(site, gateway);
    const failed = (): number => gateway.events.filter(({ event }) => event === 'registration-failed').length;
    await expect.poll(failed, patience).toBeGreaterThan(0);
    expect(registered(gateway)).toBe(false);
  });

  test('[W8] without an enrollment it fails, and registers by itself once there is one', async () => {
    await using site = await startTestSite({});
    const gateway = site.gateway(0);
    const registrationId = gateway.spec.serialNumber.toLowerCase();
    await using session = await signIn(gateway);
    await writeBack(site, session, registrationId);
    await expect
      .poll(() => gateway.events.some(({ event }) => event === 'registration-failed'), patience)
      .toBe(true);
    const endorsementKey = await session.readEndorsementKey();
    await site.enrollments.create(tpmEnrollment({ registrationId, endorsementKey }));
    await expect.poll(() => registered(gateway), patience).toBe(true);
  });

  test('[W6] [N5] a changed enrollment and scope take effect after a restart, not before', async () => {
    await using site = await startTestSite(
      {},
      {
        allocate: ({ registrationId, linkedHubs }) => ({
          iotHubHostName: linkedHubs[registrationId.length % linkedHubs.length] ?? '',
        }),
      },
    );
    const gateway = site.gateway(0);
    const registrationId = await provision(site, gateway);
    await expect.poll(() => registered(gateway), patience).toBe(true);
    const enrollment = await site.enrollments.get(registrationId);
    await site.enrollments.update({ ...enrollment, deviceId: 'renamed' });
    await using session = await signIn(gateway);
    await writeBack(site, session, registrationId);
    expect(gateway.assignment?.deviceId).toBe(registrationId);
    await session.restartEdge();
    await expect
      .poll(() => gateway.events.filter(({ event }) => event === 'registered').length, patience)
      .toBe(2);
  });
});

test.each([
  ['over AMQP', { carrier: 'amqp' }],
  ['over AMQP in a WebSocket', { carrier: 'amqp-ws' }],
  ['with a TPM in swtpm', { tpm: 'swtpm' }],
] as const)('[N1] [N3] a provisioned gateway registers %s', async (_how, options) => {
  await using site = await startTestSite({}, {}, options);
  const gateway = site.gateway(0);
  const registrationId = await provision(site, gateway);
  await expect.poll(() => registered(gateway), patience).toBe(true);
  expect(gateway.assignment?.deviceId).toBe(registrationId);
  expect(gateway.events.map(({ event }) => event)).not.toContain('registration-failed');
});

test('[N6] another storage root key does not matter to the enrollment', async () => {
  await using site = await startTestSite({});
  const gateway = site.gateway(0);
  await provision(site, gateway);
  await expect.poll(() => registered(gateway), patience).toBe(true);
  const before = await gateway.tpm.storageRootKey();
  await gateway.tpm.takeOwnership();
  expect(await gateway.tpm.storageRootKey()).not.toEqual(before);
  await using session = await signIn(gateway);
  await session.resetEdge();
  const { runtime } = await session.waitForEdgeRuntime({ pauseMs: 50, timeoutMs: 20_000 });
  expect(runtime.status).toBe('running');
  expect(gateway.events.map(({ event }) => event)).not.toContain('registration-failed');
});

describe('the API of a faulty gateway', () => {
  test('[L4] locks the account after ten failures, and says so', async () => {
    await using site = await startTestSite({});
    const gateway = site.gateway(0);
    const pins = createMemoryPins({ gateway: gateway.fingerprint });
    const trust = { mode: 'strict', pins } as const;
    const client = createGatewayClient({
      host: gateway.spec.address,
      port: gateway.port,
      pinName: 'gateway',
      trust,
    });
    const guess = { name: factoryUser, password: Secret.fromText('a-wrong-guess') };
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await expect(client.signIn(guess)).rejects.toMatchObject({ code: 'ERR_GATEWAY_SIGN_IN_REFUSED' });
    }
    await expect(client.signIn(guess)).rejects.toMatchObject({ code: 'ERR_GATEWAY_LOCKED' });
    await expect(signIn(gateway)).rejects.toMatchObject({ code: 'ERR_GATEWAY_LOCKED' });
  });

  test('[L9] gives five sessions, and one back for each that is closed', async () => {
    await using site = await startTestSite({ count: 4 });
    const gateway = site.gateway(3);
    const sessions: GatewaySession[] = [];
    for (let each = 0; each < 5; each += 1) sessions.push(await signIn(gateway));
    await expect(signIn(gateway)).rejects.toMatchObject({ code: 'ERR_GATEWAY_SESSION_LIMIT' });
    await sessions[0]?.close();
    sessions.push(await signIn(gateway));
    await Promise.all(sessions.map((session) => session.close()));
    expect(gateway.openSessions).toBe(0);
  });

  test('[F5] shows a replaced certificate at a new port', async () => {
    await using site = await startTestSite({ count: 4 });
    for (const index of [0, 3]) {
      const gateway = site.gateway(index);
      const before = gateway.fingerprint;
      await using session = await signIn(gateway);
      const { certificatePem, privateKeyPem } = site.fleet.authority.issue({ names: [gateway.spec.address] });
      await session.replaceHttpsCertificate({
        certificatePem,
        privateKeyPem: Secret.fromText(privateKeyPem),
      });
      expect(gateway.fingerprint).not.toBe(before);
      await session.writeSetting({ setting: 'https-port', value: 50_443 + index });
      expect(gateway.port).toBe(50_443 + index);
      await session.getIdentity();
    }
  });

  test.each([
    ['claimed', 'ERR_GATEWAY_SIGN_IN_REFUSED'],
    ['locked', 'ERR_GATEWAY_LOCKED'],
    ['session-limit', 'ERR_GATEWAY_SESSION_LIMIT'],
    ['no-tpm', 'ERR_GATEWAY_NO_ENDORSEMENT_KEY'],
    ['busy', 'ERR_GATEWAY_BUSY'],
    ['refuses-writes', 'ERR_GATEWAY_REFUSED'],
    ['malformed-answers', 'ERR_REMOTE_CONTENT_TYPE'],
    ['drops-connections', 'ERR_TRANSPORT_LOST'],
  ] as const)('that is %s is a named error', async (fault, code) => {
    await using site = await startTestSite({ faults: { 0: [fault] } });
    await expect(provision(site, site.gateway(0))).rejects.toMatchObject({ code });
  });
});
