import { describe, expect, test } from 'vitest';
import {
  directedBroadcast,
  formatUrlHost,
  isPlaceholderSerial,
  localSubnetOf,
  parseTargets,
} from '@endorse/discovery';

const entry = (address: string, netmask: string) =>
  ({ interfaceName: 'eth0', family: 'ipv4', address, netmask, internal: false }) as const;

describe('addresses', () => {
  test.each([
    ['192.168.3.10', '255.255.255.0', '192.168.3.255'],
    ['10.144.49.7', '255.255.252.0', '10.144.51.255'],
    ['172.16.200.1', '255.240.0.0', '172.31.255.255'],
    ['127.0.0.1', '255.0.0.0', '127.255.255.255'],
    ['10.0.0.1', '255.255.255.252', '10.0.0.3'],
    ['10.0.0.1', '255.255.255.254', undefined],
    ['10.0.0.1', '255.255.255.255', undefined],
  ])('the directed broadcast of %s/%s is %s', (address, netmask, expected) => {
    expect(directedBroadcast(entry(address, netmask))).toBe(expected);
  });

  test('the most specific subnet wins', () => {
    const wide = entry('10.0.0.1', '255.0.0.0');
    const narrow = entry('10.1.0.1', '255.255.0.0');
    expect(localSubnetOf('10.1.2.3', [wide, narrow])).toBe(narrow);
    expect(localSubnetOf('10.2.2.3', [wide, narrow])).toBe(wide);
    expect(localSubnetOf('192.168.0.1', [wide, narrow])).toBeUndefined();
  });

  test('targets are addresses, with ports, scopes and ranges', () => {
    const texts = [
      '192.0.2.7',
      '192.0.2.7:40500',
      '192.0.2.0/29',
      '[2001:db8::1]:1',
      'fe80::1%eth0',
      '192.0.2.7',
    ];
    expect(parseTargets(texts, 40_404).map(({ address, port }) => formatUrlHost(address, port))).toEqual([
      '192.0.2.7:40404',
      '192.0.2.7:40500',
      ...[1, 2, 3, 4, 5, 6].map((last) => `192.0.2.${last}:40404`),
      '[2001:db8::1]:1',
      '[fe80::1%25eth0]:40404',
    ]);
  });
});

test.each([
  ['IMOXA1234567', true],
  ['000000000000', true],
  ['0123456789', true],
  ['Default', true],
  ['To Be Filled By O.E.M.', true],
  ['x', true],
  ['TBBAA1234501', false],
  ['TAIBB1019856', false],
])('%s is a placeholder: %s', (serial, expected) => {
  expect(isPlaceholderSerial(serial)).toBe(expected);
});
