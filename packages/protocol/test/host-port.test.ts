/** Oracles: node:net's isIPv6 and the WHATWG URL parser. */
import { isIPv6 } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHostPort, isIpv6Address, parseHostPort } from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

test.each([
  ['global.azure-devices-provisioning.net', 'global.azure-devices-provisioning.net', 443],
  ['LocalHost:8443', 'localhost', 8443],
  ['127.0.0.1:1', '127.0.0.1', 1],
  ['[::1]:8443', '::1', 8443],
  ['[2001:DB8::7]', '2001:db8::7', 443],
  ['::1', '::1', 443],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1', 443],
  ['my_host:65535', 'my_host', 65535],
  ['example.net.', 'example.net.', 443],
])('%s is %s on port %i', (text, host, port) => {
  expect(parseHostPort(text)).toEqual({ host, port });
});

describe('refused', () => {
  test.each([
    ['', 'ERR_INVALID_ARGUMENT'],
    [' ', 'ERR_INVALID_ARGUMENT'],
    ['https://example.net', 'ERR_INVALID_ARGUMENT'],
    ['example.net/path', 'ERR_INVALID_ARGUMENT'],
    ['user@example.net', 'ERR_INVALID_ARGUMENT'],
    ['example.net:', 'ERR_INVALID_ARGUMENT'],
    ['example.net:https', 'ERR_INVALID_ARGUMENT'],
    ['example.net:0', 'ERR_OUT_OF_RANGE'],
    ['example.net:65536', 'ERR_OUT_OF_RANGE'],
    ['exa mple.net', 'ERR_INVALID_ARGUMENT'],
    ['example..net', 'ERR_INVALID_ARGUMENT'],
    ['-example.net', 'ERR_INVALID_ARGUMENT'],
    ['bücher.example', 'ERR_INVALID_ARGUMENT'],
    ['1.2.3', 'ERR_INVALID_ARGUMENT'],
    ['256.1.1.1', 'ERR_INVALID_ARGUMENT'],
    ['0177.0.0.1', 'ERR_INVALID_ARGUMENT'],
    ['[::1', 'ERR_INVALID_ARGUMENT'],
    ['[example.net]', 'ERR_INVALID_ARGUMENT'],
    ['[fe80::1%eth0]', 'ERR_INVALID_ARGUMENT'],
    ['1::2::3', 'ERR_INVALID_ARGUMENT'],
    [`${'a'.repeat(64)}.net`, 'ERR_INVALID_ARGUMENT'],
    ['a.'.repeat(127) + 'ab', 'ERR_INVALID_ARGUMENT'],
    ['example.net\r\nX-Evil: 1', 'ERR_INVALID_ARGUMENT'],
  ])('%j', (text, code) => {
    expect(thrownBy(() => parseHostPort(text, { argument: 'provisioningHost' }))).toMatchObject({
      code,
      argument: 'provisioningHost',
    });
  });

  test('what is no string, and an unusable default', () => {
    expect(thrownBy(() => parseHostPort(7 as unknown as string))).toMatchObject({ argument: 'host' });
    expect(thrownBy(() => parseHostPort('a', { defaultPort: 0 }))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });

  test('parts that cannot be put together', () => {
    expect(thrownBy(() => formatHostPort({ host: 'a b', port: 1 }))).toMatchObject({
      argument: 'hostPort.host',
    });
    expect(thrownBy(() => formatHostPort({ host: 'a', port: 1.5 }))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });
});

test('the default port is left out, another is kept', () => {
  expect(formatHostPort({ host: '::1', port: 443 }, { defaultPort: 443 })).toBe('[::1]');
  expect(formatHostPort({ host: '::1', port: 444 }, { defaultPort: 443 })).toBe('[::1]:444');
  expect(formatHostPort({ host: 'example.net', port: 443 })).toBe('example.net:443');
});

const ports = fc.integer({ min: 1, max: 65_535 });
const hosts = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());

test('what is put together comes apart again, and a URL agrees about host and port', () => {
  fc.assert(
    fc.property(hosts, ports, (host, port) => {
      const text = formatHostPort({ host, port });
      expect(parseHostPort(text)).toEqual({ host: host.toLowerCase(), port });
      const url = new URL(`unknown://${text}/`);
      expect([url.port, url.hostname.includes('[')]).toEqual([String(port), isIPv6(host)]);
    }),
  );
});

test('an IPv6 address is one exactly when node:net says so', () => {
  const nearMisses = fc
    .array(fc.constantFrom(':', '::', '1', 'ffff', '0db8', '1.2.3.4', '255', '.', 'g', '12345'), {
      maxLength: 12,
    })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), nearMisses, fc.string({ maxLength: 20 })), (text) => {
      expect(isIpv6Address(text)).toBe(isIPv6(text) && !text.includes('%'));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '1:2:3:4::5:6:7:8',
  '1:2:3:4:5:6:7::',
  '::1:2:3:4:5:6:7',
  '1:2:3:4:5:6:1.2.3.4',
  '1:2:3:4:5:6:7:1.2.3.4',
])('the full %s is an IPv6 address exactly when node:net says so', (text) => {
  expect(isIpv6Address(text)).toBe(isIPv6(text));
});

test('any text is a host or a caller’s mistake', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        expect(parseHostPort(text).port).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ name: 'InvalidArgumentError' });
      }
    }),
  );
});
