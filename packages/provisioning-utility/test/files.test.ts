/** Files that people write: jobs, inventories, plans. */
import { describe, expect, test } from 'vitest';
import {
  blockedCodes,
  conflictCodes,
  explainCode,
  findIdScopeWarning,
  formatPlan,
  inventoryFormatOf,
  inventoryFormats,
  inventoryFromDiscovery,
  parsePlan,
  readEndorsementKey,
  readInventory,
  readJob,
  readServiceEndpoint,
  registrationIdFor,
  writeInventory,
} from '@endorse/provisioning-utility';
import { MemorySite, endorsementKey } from './support/site.ts';

const service = 'service: { endpoint: my-dps.azure-devices-provisioning.net, policyName: owner }\n';

describe('jobs', () => {
  test.each<[string, string, string]>([
    ['[C4] no endpoint', 'service: { policyName: owner }', 'service.endpoint is missing'],
    ['[C4] no policy', 'service: { endpoint: a.example }', 'service.policyName is missing'],
    ['an unknown part', `${service}enrolment: {}`, 'the job.enrolment is not known here'],
    ['an unknown setting', `${service}configure: { shh: false }`, 'configure.shh is not known here'],
    ['text for a switch', `${service}configure: { ssh: "off" }`, 'configure.ssh must be true or false'],
    ['a service that is no switch', `${service}configure: { services: { x: 1 } }`, 'configure.services'],
    [
      'a policy that is none',
      `${service}enrollment: { allocationPolicy: round }`,
      'enrollment.allocationPolicy',
    ],
    ['a name twice', 'service: {}\nservice: {}', 'neither YAML nor JSON'],
    ['an alias bomb', 'a: &a [x]\nb: *a', 'neither YAML nor JSON'],
    ['a list', '[1]', 'the job must be an object'],
    [
      '[W7] a scope that is too long',
      service.replace(' }', `, idScope: ${'x'.repeat(129)} }`),
      'service.idScope',
    ],
    [
      'an endpoint without https',
      service.replace(' }', ', idScope: a, globalEndpoint: "http://x/y" }'),
      'service.globalEndpoint',
    ],
  ])('%s is refused with its place', (_title, text, message) => {
    expect(() => readJob(text)).toThrowError(
      expect.objectContaining({ code: 'ERR_JOB', message: expect.stringContaining(message) }),
    );
  });

  test('a command line fills what the job leaves out', () => {
    const overrides = { endpoint: 'https://a.example/', policyName: 'p', idScope: '0ne000A247E' };
    expect(readJob('', overrides)).toMatchObject({
      service: { endpoint: 'a.example', policyName: 'p' },
      writeBack: { idScope: '0ne000A247E', globalEndpoint: 'https://global.azure-devices-provisioning.net' },
    });
  });

  test('[W7] an unusual scope is a warning only', () => {
    expect(findIdScopeWarning('0ne000A247E')).toBeUndefined();
    expect(findIdScopeWarning('my-scope')).toContain('my-scope');
  });

  test('[C13] the service endpoint works as URL or host; the global device endpoint is refused with a hint', () => {
    for (const text of [
      'https://my-dps.azure-devices-provisioning.net/',
      'my-dps.azure-devices-provisioning.net',
      ' My-DPS.azure-devices-provisioning.net:443',
    ]) {
      expect(readServiceEndpoint(text)).toBe('my-dps.azure-devices-provisioning.net');
    }
    expect(() => readServiceEndpoint('https://global.azure-devices-provisioning.net')).toThrowError(
      expect.objectContaining({ code: 'ERR_JOB', remedy: expect.stringContaining('overview page') }),
    );
    expect(() => readServiceEndpoint('not a host')).toThrowError(
      expect.objectContaining({ code: 'ERR_JOB' }),
    );
  });
});

describe('keys and ids', () => {
  const key = Buffer.from(endorsementKey(1), 'base64');
  const changed = (at: number, value: number): string => {
    const bytes = Buffer.from(key);
    bytes[at] = value;
    return bytes.toString('base64');
  };
  test.each([
    ['text that is no base64', 'EK!', 'is not base64'],
    ['nothing', '', 'has 0 bytes'],
    ['a size that does not match', changed(1, 0), 'says it has'],
    [
      'cut-off bytes',
      Buffer.concat([Buffer.from([0, 4]), key.subarray(2, 6)]).toString('base64'),
      'is no TPM2B_PUBLIC',
    ],
    ['attributes of a signing key', changed(7, 0x04), 'only decrypts'],
  ])('[E2] %s is diagnosed', (_title, text, problem) => {
    expect(() => readEndorsementKey(text)).toThrowError(
      expect.objectContaining({ code: 'ERR_KEY_UNUSABLE', message: expect.stringContaining(problem) }),
    );
  });

  test('[E2] a usual key has no warnings, an unusual template is named', () => {
    expect(
      readEndorsementKey(`${endorsementKey(1).slice(0, 100)}\n${endorsementKey(1).slice(100)}`).warnings,
    ).toEqual([]);
    const policy = Buffer.from(key);
    policy[12] = (policy[12] ?? 0) ^ 1;
    expect(readEndorsementKey(policy.toString('base64')).warnings.join()).toContain('authPolicy');
  });

  test('[C6] the registration id is the serial in lower case, by the rules of service and gateway together', () => {
    expect(registrationIdFor('TBBAA1234501', undefined)).toBe('tbbaa1234501');
    expect(registrationIdFor('TBBAA1234501', 'press-4')).toBe('press-4');
    for (const given of ['press_4', 'press.4', 'Press-4', '', 'x'.repeat(129)]) {
      expect(() => registrationIdFor('S', given)).toThrowError(
        expect.objectContaining({ code: 'ERR_REGISTRATION_ID' }),
      );
    }
  });
});

describe('inventories', () => {
  const devices = [
    { serial: 'TBBAA1234501', address: '192.168.3.21', port: 8443, model: 'AIG-301', state: 'factory' },
    {
      serial: '=cmd()',
      address: 'fe80::21%eth0',
      port: 8444,
      vendor: 'Exa, "Co"',
      ineligibleFor: ['foreign-model', 'not-expected'],
    },
  ] as const;

  test.each(inventoryFormats)('%s reads back what was written', (format) => {
    expect(readInventory(writeInventory(devices, format), format)).toEqual(devices);
  });

  test('CSV for spreadsheets calculates nothing', () => {
    expect(writeInventory(devices, 'csv')).toContain("'=cmd(),fe80::21%eth0");
  });

  test.each<[string, string, string]>([
    ['an unknown column', 'serial,address,pasword\nA,b,c\n', 'a column "pasword"'],
    ['a column twice', 'serial,address,serial\nA,b,c\n', '"serial" twice'],
    ['no address column', 'serial\nA\n', 'no column "address"'],
    ['a row too short', 'serial,address\nA,192.0.2.1\nB\n', 'line 3'],
    ['a row without serial', 'serial,address\nA,192.0.2.1\n,192.0.2.2\n', 'row 3.serial is missing'],
    ['several bad rows at once', 'serial,address,port\nA,x y,1\nB,192.0.2.2,70000\n', 'row 3.port'],
  ])('CSV with %s is refused, with the row', (_title, text, message) => {
    expect(() => readInventory(text, 'csv')).toThrowError(
      expect.objectContaining({ code: 'ERR_INVENTORY', message: expect.stringContaining(message) }),
    );
  });

  test('a byte order mark, empty lines and CRLF are fine', () => {
    expect(readInventory('\uFEFFserial,address\r\n\r\nA1,192.0.2.1\r\n', 'csv')).toEqual([
      { serial: 'A1', address: '192.0.2.1', port: 8443 },
    ]);
  });

  test('other formats are checked field by field', () => {
    expect(() => readInventory('{"serial":"A"}\n{"serial":1,"address":"b"}\n', 'jsonl')).toThrow(
      /line 1.address is missing.*line 2.serial/,
    );
    expect(() => readInventory('{}', 'json')).toThrow(/must be a list/);
    expect(() => readInventory('- {serial: A, address: b, password: x}', 'yaml')).toThrow(
      /device 1.password is not known/,
    );
  });

  test('the format goes by the name of the file', () => {
    expect(['a.csv', 'a.JSON', 'a.ndjson', 'a.yml', 'a.txt'].map(inventoryFormatOf)).toEqual([
      'csv',
      'json',
      'jsonl',
      'yaml',
      undefined,
    ]);
  });

  test('[D5] what discovery found keeps the chosen address, and why a device is not eligible', () => {
    const announcement = {
      serial: 'A1',
      addresses: ['10.42.0.1'],
      api: { scheme: 'https', port: 8444, path: '/api/v1' },
      state: 'factory',
      capabilities: [],
    } as const;
    const device = {
      key: '/a1',
      announcement,
      sources: ['192.168.3.21'],
      address: '192.168.3.21',
      addressOrigin: 'source',
      apiUrl: '',
      ineligibleFor: ['missing-capability'],
      warnings: [],
      firstSeenAt: 0,
    } as const;
    const counters = { probesSent: 0, received: 0, duplicates: 0, rejected: {} as never };
    const summary = { devices: [device], conflicts: [], missingSerials: [], counters };
    expect(inventoryFromDiscovery(summary)).toEqual([
      {
        serial: 'A1',
        address: '192.168.3.21',
        port: 8444,
        path: '/api/v1',
        state: 'factory',
        ineligibleFor: ['missing-capability'],
      },
    ]);
  });
});

describe('plans', () => {
  test('read back as they were written, and are refused once edited', async () => {
    const plan = await new MemorySite(2).plan();
    const text = formatPlan(plan);
    expect(parsePlan(text)).toEqual(plan);
    for (const edited of [
      text.replace('192.168.3.1', '192.168.3.9'),
      text.replace('"version": 1', '"version": 2'),
      '{}',
      'x',
    ]) {
      expect(() => parsePlan(edited)).toThrowError(expect.objectContaining({ code: 'ERR_PLAN_FILE' }));
    }
  });
});

test('every code that a device can be in conflict or blocked by is explained, with what to do next', () => {
  const codes = [...conflictCodes, ...blockedCodes];
  expect(codes.filter((code) => explainCode(code) === undefined)).toEqual([]);
  expect(explainCode('ERR_PLAN_STALE')?.next).toContain('new plan');
  expect(explainCode('toString')).toBeUndefined();
});
