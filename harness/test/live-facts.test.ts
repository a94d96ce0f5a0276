import { describe, expect, test } from 'vitest';
import { compareServices } from '../live/compare.ts';
import type { Names } from '../live/facts.ts';
import { describeFormat, describeJson, scrubText } from '../live/facts.ts';
import { renderReport } from '../live/report.ts';

const names: Names = [
  ['pump-7', '<registration id>'],
  ['0ne00ABCDEF', '<ID scope>'],
  ['localhost', '<host>'],
];
const key = 'UX9sG+8/0123456789abcdefghijABCDEFGHIJ==';

describe('an observation', () => {
  test.each([
    ['0ne00ABCDEF/registrations/PUMP-7', '<ID scope>/registrations/<registration id>'],
    ['/0ne00ABCDEF/registrations/pump-7/secret-word', '/<ID scope>/registrations/<registration id>/<word>'],
    ['5.0123456789abcdef.8b7d3b6e-5a7f-4f3d-9a51-0d8f1e3f5c11', '<operation id>'],
    ['2026-11-30T06:09:54.1234567Z', '<time, 7 decimals, Z>'],
    ['2026-11-30T06:09:54+00:00', '<time, 0 decimals, +00:00>'],
    ['plant-7.azure-devices.net', '<host>'],
    ['localhost:41234', '<host>'],
    ['"8b7d3b6e-5a7f-4f3d-9a51-0d8f1e3f5c11"', '"<GUID>"'],
    [key, '<base64 of 28 bytes>'],
    [`+/${key.slice(2)}`, '<base64 of 28 bytes>'],
    ['whatever somebody wrote', '<text>'],
    ['', 'empty text'],
  ])('of %s is %s', (text, format) => expect(describeFormat(text, names)).toBe(format));

  test('of a sentence keeps the sentence, and nothing of a run', () => {
    expect(scrubText(`Device pump-7 of 0ne00ABCDEF has sig=${key}, CustomAllocationDefinition`, names)).toBe(
      'Device <registration id> of <ID scope> has sig=<base64 of 28 bytes>, CustomAllocationDefinition',
    );
  });

  test('of a body has the words of the protocol, and the types of everything else', () => {
    const body = {
      status: 'assigned',
      errorCode: 401_002,
      retries: 3,
      tpm: { authenticationKey: key },
      list: [{ on: true }],
      none: null,
      info: { reason: 'the emulator explains itself' },
    };
    expect(describeJson(body, names)).toEqual({
      body: 'object',
      'body.status': '"assigned"',
      'body.errorCode': '401002',
      'body.retries': 'number',
      'body.tpm': 'object',
      'body.tpm.authenticationKey': '<base64 of 28 bytes>',
      'body.list': 'array',
      'body.list[]': 'object',
      'body.list[].on': 'boolean',
      'body.none': 'null',
    });
  });
});

describe('two services', () => {
  const probe = {
    name: 'HTTPS: register',
    assumes: 'It is 202.',
    observe: async () => ({ facts: {} }),
  };
  const seen = (facts: Readonly<Record<string, string>>): ReadonlyMap<string, { facts: typeof facts }> =>
    new Map([[probe.name, { facts }]]);

  test('differ in what is other, missing or more, and agree in the rest', () => {
    const [finding] = compareServices(
      [probe],
      seen({ status: '202', 'header location': 'present', body: 'object' }),
      seen({ status: '200', 'header date': 'present', body: 'object' }),
    );
    expect(finding).toMatchObject({
      verdict: 'differs',
      agreeing: 1,
      differences: [
        { fact: 'status', emulator: '202', service: '200' },
        { fact: 'header location', emulator: 'present', service: undefined },
        { fact: 'header date', emulator: undefined, service: 'present' },
      ],
    });
  });

  test('are not said to agree where one could not be asked', () => {
    const unreachable = new Map([[probe.name, { failure: 'ECONNREFUSED' }]]);
    const findings = compareServices([probe], seen({ status: '202' }), unreachable);
    expect(findings).toMatchObject([{ verdict: 'unseen', failures: { service: 'ECONNREFUSED' } }]);
    const report = renderReport(findings, new Date(0));
    expect(report).toContain('of 1 assumptions 0 hold, 0 do not, 1 could not be observed');
    expect(report).toContain('- HTTPS: register: ECONNREFUSED, on the service');
  });
});
