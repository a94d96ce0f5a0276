// Oracle: what curl's manual says about https_proxy and NO_PROXY.
import { describe, expect, test } from 'vitest';
import { proxyFromEnvironment } from '@endorse/transport-socket';

const port = 443;
const proxied = (environment: Record<string, string>, host: string, at = port): boolean =>
  proxyFromEnvironment(environment)(host, at) !== undefined;

describe('the proxy of the environment', () => {
  test('is taken from https_proxy, else HTTPS_PROXY, never from http_proxy', () => {
    expect(proxyFromEnvironment({})('dps.example', port)).toBeUndefined();
    expect(proxyFromEnvironment({ http_proxy: 'http://a:1' })('dps.example', port)).toBeUndefined();
    expect(proxyFromEnvironment({ HTTPS_PROXY: '' })('dps.example', port)).toBeUndefined();
    expect(proxyFromEnvironment({ HTTPS_PROXY: 'http://b:2' })('dps.example', port)).toMatchObject({
      host: 'b',
      port: 2,
    });
    const both = { https_proxy: 'https://a', HTTPS_PROXY: 'http://b:2' };
    expect(proxyFromEnvironment(both)('dps.example', port)).toMatchObject({
      protocol: 'https:',
      host: 'a',
      port: 443,
      authorization: undefined,
    });
    expect(proxyFromEnvironment({ https_proxy: 'c:3128' })('dps.example', port)).toMatchObject({
      protocol: 'http:',
      host: 'c',
      port: 3128,
    });
    expect(proxyFromEnvironment({ https_proxy: 'http://[::1]:8' })('dps.example', port)).toMatchObject({
      host: '::1',
      port: 8,
    });
  });

  test('names the variable when its value is unusable', () => {
    expect(() => proxyFromEnvironment({ HTTPS_PROXY: 'socks5://x' })).toThrowError(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'HTTPS_PROXY' }),
    );
  });

  test.each<[string, string, boolean, number?]>([
    ['*', 'dps.example', false],
    ['dps.example', 'dps.example', false],
    ['dps.example', 'DPS.Example', false],
    ['dps.example', 'other.example', true],
    ['example', 'dps.example', false],
    ['.example', 'dps.example', false],
    ['*.example', 'dps.example', false],
    ['ample', 'dps.example', true],
    ['a.test, dps.example b.test', 'dps.example', false],
    ['dps.example:8443', 'dps.example', true],
    ['dps.example:8443', 'dps.example', false, 8443],
    ['192.0.2.7', '192.0.2.7', false],
    ['2.7', '192.0.2.7', true],
    ['::1', '::1', false],
    ['[::1]:443', '::1', false],
    ['[::1]:8443', '::1', true],
    [',, ,', 'dps.example', true],
    ['not[a:host', 'dps.example', true],
  ])('with NO_PROXY=%j, %s goes through it: %s', (noProxy, host, expected, at) => {
    expect(proxied({ https_proxy: 'http://p:1', NO_PROXY: noProxy }, host, at)).toBe(expected);
  });

  test('no_proxy wins over NO_PROXY', () => {
    const environment = { https_proxy: 'http://p:1', no_proxy: 'a.test', NO_PROXY: 'b.test' };
    expect(proxied(environment, 'a.test')).toBe(false);
    expect(proxied(environment, 'b.test')).toBe(true);
  });
});
