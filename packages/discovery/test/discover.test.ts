import { describe, expect, test } from 'vitest';
import type { DiscoverOptions } from '@endorse/discovery';
import { collectDevices, discover, jsonDiscoveryCodec } from '@endorse/discovery';
import { device } from './support/devices.ts';
import { VirtualRun } from './support/virtual-run.ts';

const probesOf = (run: VirtualRun) =>
  run.link.sent.filter(({ to }) => to.port === 40_404).map(({ bytes }) => bytes);

describe('finding devices', () => {
  test('[D1] three devices are found, each once, in spite of repeats', async () => {
    const run = new VirtualRun();
    for (const [index, address] of ['192.168.3.21', '192.168.3.22', '192.168.3.23'].entries()) {
      await run.device(address, { serial: `TBBAA123450${index}`, mac: `0090e800000${index}` });
    }
    const { devices, counters } = await run.discover();
    expect(devices.map(({ address }) => address)).toEqual(['192.168.3.21', '192.168.3.22', '192.168.3.23']);
    expect(run.told('device-found')).toHaveLength(3);
    expect(counters.duplicates).toBeGreaterThan(0);
  });

  test('a probe that is lost is made good by its repeat, with the same id', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    let left = 5;
    run.link.isLost = ({ to }) => to.port === 40_404 && (left -= 1) >= 0;
    expect((await run.discover()).devices).toHaveLength(1);
    const ids = probesOf(run).map((bytes) => jsonDiscoveryCodec.decodeProbe(bytes).id);
    expect(new Set(ids).size).toBe(1);
  });

  test('[D2] a reply without serial or port is told as malformed, and the others are found', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    const broken = jsonDiscoveryCodec;
    const without = (field: string) => ({
      ...broken,
      encodeReply: (...given: Parameters<typeof broken.encodeReply>) => {
        const message: Record<string, unknown> = JSON.parse(
          Buffer.from(broken.encodeReply(...given)).toString(),
        );
        delete message[field];
        if (field === 'port') message['api'] = { scheme: 'https', path: '/' };
        return Buffer.from(JSON.stringify(message));
      },
    });
    await run.device('192.168.3.22', { serial: 'B' }, { codec: without('serial') });
    await run.device('192.168.3.23', { serial: 'C' }, { codec: without('port') });
    const { devices } = await run.discover();
    expect(devices.map(({ address }) => address)).toEqual(['192.168.3.21']);
    const problems = run.told('datagram-rejected').map(({ reason, problem }) => `${reason}: ${problem}`);
    expect(problems).toContain('malformed: $.serial is not 1 to 64 printable characters');
    expect(problems).toContain('malformed: $.api.port is not an integer from 1 to 65535');
  });

  test('[D3] two units with one serial are a conflict, and neither is eligible', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21', { mac: '0090e8000001' });
    await run.device('192.168.3.22', { mac: '0090e8000002', serial: 'tbbaa1234501' });
    const { devices, conflicts } = await run.discover();
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]?.devices.map(({ address }) => address).toSorted()).toEqual([
      '192.168.3.21',
      '192.168.3.22',
    ]);
    expect(devices.map(({ ineligibleFor }) => ineligibleFor)).toEqual([
      ['serial-conflict'],
      ['serial-conflict'],
    ]);
    expect(run.told('conflict-found')).toHaveLength(1);
  });

  test('a factory placeholder on four devices marks all of them, even with one MAC', async () => {
    const run = new VirtualRun();
    for (let last = 21; last <= 24; last += 1) {
      await run.device(`192.168.3.${last}`, { serial: 'IMOXA1234567' });
    }
    const { devices } = await run.discover();
    expect(devices).toHaveLength(4);
    for (const { ineligibleFor } of devices) {
      expect(ineligibleFor).toEqual(['serial-conflict', 'placeholder-serial']);
    }
  });

  test('one device on two addresses is one device when its MAC says so; a zero MAC says nothing', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    await run.device('192.168.3.22');
    const { devices } = await run.discover();
    expect(devices.map(({ sources }) => sources.toSorted())).toEqual([['192.168.3.21', '192.168.3.22']]);

    const zeros = new VirtualRun();
    await zeros.device('192.168.3.21', { mac: '000000000000' });
    await zeros.device('192.168.3.22', { mac: '000000000000' });
    const summary = await zeros.discover();
    expect(summary.conflicts).toHaveLength(1);
    expect(summary.devices[0]?.warnings).toContain('zero-mac');
  });

  test('one MAC with two serials is a warning on both, as a virtual address may be meant', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21', { serial: 'TBBAA0000018' });
    await run.device('192.168.3.22', { serial: 'TBBAA0000029' });
    const { devices } = await run.discover();
    expect(devices.map(({ warnings, ineligibleFor }) => [warnings, ineligibleFor])).toEqual([
      [['shared-mac'], []],
      [['shared-mac'], []],
    ]);
  });

  test('[D4] a foreign model is listed and not eligible', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    await run.device('192.168.3.22', {
      serial: 'SW1',
      model: 'IKS-G6824A-8GSFP',
      capabilities: [],
      mac: '0090e8000002',
    });
    const eligibility = { vendors: ['example'], models: ['aig-3*-LX', 'AIG-5*'], capabilities: ['tpm'] };
    const { devices } = await run.discover({ eligibility });
    expect(devices.map(({ announcement, ineligibleFor }) => [announcement.serial, ineligibleFor])).toEqual([
      ['SW1', ['foreign-model', 'missing-capability']],
      ['TBBAA1234501', []],
    ]);
  });

  test('[D5] announced addresses and the source are both kept, and the choice follows the rule', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21', { addresses: ['10.42.0.1'] });
    const [found] = (await run.discover()).devices;
    expect(found).toMatchObject({
      address: '192.168.3.21',
      addressOrigin: 'source',
      sources: ['192.168.3.21'],
      announcement: { addresses: ['10.42.0.1'] },
      warnings: ['announced-address-unreachable'],
    });
  });

  test('an off-link source gives way to an announced address on a local subnet', async () => {
    const run = new VirtualRun();
    const iterator = discover(run.options());
    const first = iterator.next();
    await run.clock.advance(150);
    const [probe] = probesOf(run);
    const { id } = jsonDiscoveryCodec.decodeProbe(probe ?? new Uint8Array());
    const reply = jsonDiscoveryCodec.encodeReply(
      { id, device: device({ addresses: ['203.0.113.9', '192.168.3.77'] }) },
      { maxBytes: 1200 },
    );
    const prober = run.link.sent[0]?.from;
    run.link.inject(
      reply,
      { address: '10.9.9.9', port: 40_404 },
      { address: '192.168.3.10', port: prober?.port ?? 0 },
    );
    expect((await first).value).toMatchObject({
      device: {
        address: '192.168.3.77',
        addressOrigin: 'announced',
        apiUrl: 'https://192.168.3.77:8443/api/v1',
      },
    });
    await iterator.return();
  });

  test('[D6] a reply with another id is ignored', async () => {
    const run = new VirtualRun();
    const wrong = {
      ...jsonDiscoveryCodec,
      encodeReply: (
        reply: { device: ReturnType<typeof device>; id: string },
        options: { maxBytes: number },
      ) => jsonDiscoveryCodec.encodeReply({ ...reply, id: 'Z'.repeat(22) }, options),
    };
    await run.device('192.168.3.21', {}, { codec: wrong });
    const { devices, counters } = await run.discover();
    expect(devices).toEqual([]);
    expect(counters.rejected['wrong-id']).toBeGreaterThan(0);
  });

  test('another major version is reported', async () => {
    const run = new VirtualRun();
    const later = {
      ...jsonDiscoveryCodec,
      encodeReply: (...given: Parameters<typeof jsonDiscoveryCodec.encodeReply>) =>
        Buffer.from(
          Buffer.from(jsonDiscoveryCodec.encodeReply(...given))
            .toString()
            .replace('"v":1', '"v":2'),
        ),
    };
    await run.device('192.168.3.21', {}, { codec: later });
    await run.discover();
    expect(run.told('datagram-rejected')[0]).toMatchObject({
      reason: 'unexpected-message',
      problem: '$.v speaks version 2',
    });
  });

  test('[D12] ports 8444 and 443 are respected', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21', {
      serial: 'A1',
      mac: '0090e8000001',
      api: { ...device().api, port: 8444 },
    });
    await run.device('192.168.3.22', {
      serial: 'B1',
      mac: '0090e8000002',
      api: { ...device().api, port: 443 },
    });
    expect((await run.discover()).devices.map(({ apiUrl }) => apiUrl)).toEqual([
      'https://192.168.3.21:8444/api/v1',
      'https://192.168.3.22:443/api/v1',
    ]);
  });

  test('[D13] an IPv6 link-local source keeps its scope, percent-encoded in the URL', async () => {
    const run = new VirtualRun();
    await run.device(
      '192.168.9.21',
      {},
      { ipv6: true, ...run.link.host('192.168.9.21', { ipv6: 'fe80::21' }) },
    );
    const [found] = (await run.discover({ ipv6: true })).devices;
    expect(found).toMatchObject({
      address: 'fe80::21%eth0',
      sources: ['fe80::21%eth0'],
      apiUrl: 'https://[fe80::21%25eth0]:8443/api/v1',
      ineligibleFor: [],
    });
  });

  test('an explicit target is asked directly, where no broadcast arrives', async () => {
    const run = new VirtualRun();
    await run.device(
      '10.1.2.3',
      {},
      {
        ...run.link.host('10.1.2.3', { netmask: '255.0.0.0' }),
        network: () => [
          {
            interfaceName: 'eth0',
            family: 'ipv4',
            address: '10.1.2.3',
            netmask: '255.0.0.0',
            internal: false,
          },
          {
            interfaceName: 'eth1',
            family: 'ipv4',
            address: '192.168.3.1',
            netmask: '255.255.255.0',
            internal: false,
          },
        ],
        addresses: ['10.1.2.3', '192.168.3.1'],
      },
    );
    expect((await run.discover({ targets: ['10.1.2.3'], broadcast: false })).devices).toHaveLength(1);
  });
});

describe('the run', () => {
  test('[D10] the schedule follows the injected clock and random source', async () => {
    const run = new VirtualRun();
    const times: number[] = [];
    run.link.isLost = ({ to }) => {
      if (to.address === '192.168.3.255') times.push(run.clock.now());
      return false;
    };
    await run.discover({ random: { bytes: (length) => new Uint8Array(length) } });
    expect(times).toEqual([0, 200, 600, 1400]);
    times.length = 0;
    await run.discover({ random: { bytes: (length) => new Uint8Array(length).fill(128) } });
    expect(times.map((at) => at - 5000)).toEqual([50, 300, 801, 1801]);
  });

  test('[D11] without any interface it fails at once and says what to do', async () => {
    const run = new VirtualRun();
    const loopback = {
      interfaceName: 'lo',
      family: 'ipv4',
      address: '127.0.0.1',
      netmask: '255.0.0.0',
    } as const;
    for (const network of [[], [{ ...loopback, internal: true }]]) {
      await expect(collectDevices(run.options({ network: () => network }))).rejects.toMatchObject({
        code: 'ERR_DISCOVERY_NO_INTERFACE',
        remedy: expect.stringContaining('targets'),
      });
    }
    await expect(collectDevices(run.options({ interfaces: ['wlan9'] }))).rejects.toThrow(
      /none of the interfaces wlan9 can broadcast; there are: eth0/,
    );
  });

  test('an interface that fails is told, and the others go on', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    const { network, bindSocket } = run.link.host('192.168.3.10');
    const broken = {
      interfaceName: 'eth1',
      family: 'ipv4',
      address: '10.0.0.1',
      netmask: '255.0.0.0',
    } as const;
    const { devices } = await run.discover({
      network: () => [...network(), { ...broken, internal: false }],
      bindSocket: (binding, ...rest) =>
        binding.address === '10.0.0.1'
          ? Promise.reject(new Error('EADDRNOTAVAIL'))
          : bindSocket(binding, ...rest),
    });
    expect(devices).toHaveLength(1);
    expect(run.told('interface-failed')).toEqual([
      { event: 'interface-failed', interfaceName: 'eth1 (10.0.0.1)', problem: 'EADDRNOTAVAIL' },
    ]);
  });

  test('[D8] an abort closes all sockets within one tick and rejects with its reason', async () => {
    const run = new VirtualRun();
    const aborting = new AbortController();
    const pending = collectDevices(run.options({ signal: aborting.signal, ipv6: true }));
    await run.clock.advance(200);
    expect(run.link.openSockets).toBe(2);
    aborting.abort(new Error('enough'));
    expect(run.link.openSockets).toBe(0);
    await expect(pending).rejects.toThrow('enough');
    expect(run.clock.pendingSleeps).toBe(0);
  });

  test('leaving the loop closes all sockets and timers', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    const left = (async () => {
      for await (const { event } of discover(run.options())) if (event === 'device-found') return event;
      return undefined;
    })();
    await run.clock.advance(1000);
    expect(await left).toBe('device-found');
    expect([run.link.openSockets, run.clock.pendingSleeps]).toEqual([2, 0]);
  });

  test('it ends early when all expected serials have answered, and names those that did not', async () => {
    const run = new VirtualRun();
    await run.device('192.168.3.21');
    await run.device('192.168.3.22', { serial: 'STRANGER', mac: '0090e8000002' });
    const complete = collectDevices(run.options({ expectedSerials: ['tbbaa1234501'] }));
    await run.clock.advance(1200);
    const { devices, missingSerials } = await complete;
    expect(missingSerials).toEqual([]);
    expect(devices.map(({ ineligibleFor }) => ineligibleFor)).toEqual([['not-expected'], []]);
    expect(run.clock.now()).toBeLessThan(5000);
    const summary = await run.discover({ expectedSerials: ['TBBAA1234501', 'MISSING-9'] });
    expect(summary.missingSerials).toEqual(['MISSING-9']);
  });

  test.each([
    [{ port: 0 }, 'options.port'],
    [{ windowMs: 0 }, 'options.windowMs'],
    [{ targets: ['gateway.example'] }, 'options.targets[0]'],
    [{ targets: ['10.0.0.0/8'] }, 'options.targets'],
    [{ broadcast: false }, 'options.broadcast'],
    [{ tarets: [] }, 'options.tarets'],
  ])('refuses %j before any IO', (options, argument) => {
    expect(() => discover(options as DiscoverOptions)).toThrowError(expect.objectContaining({ argument }));
  });
});
