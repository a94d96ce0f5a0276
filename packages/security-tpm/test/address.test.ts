import { InvalidArgumentError } from '@endorse/interface';
import { formatTpmAddress, openTpmDevice, parseTpmAddress } from '@endorse/security-tpm';
import type { TpmAddress } from '@endorse/security-tpm';
import { describe, expect, test } from 'vitest';

const known: readonly (readonly [string, TpmAddress])[] = [
  ['swtpm://127.0.0.1:2321', { kind: 'swtpm', host: '127.0.0.1', port: 2321 }],
  ['swtpm://tpm.example', { kind: 'swtpm', host: 'tpm.example', port: 2321 }],
  ['swtpm://[::1]:7', { kind: 'swtpm', host: '::1', port: 7 }],
  ['swtpm+unix:///run/tpm.sock', { kind: 'swtpm-unix', path: '/run/tpm.sock' }],
  ['swtpm+unix:///run/a%20b', { kind: 'swtpm-unix', path: '/run/a b' }],
  ['mssim://localhost:2321', { kind: 'mssim', host: 'localhost', port: 2321, platformPort: 2322 }],
  ['mssim://localhost:1?platform-port=9', { kind: 'mssim', host: 'localhost', port: 1, platformPort: 9 }],
  ['device:', { kind: 'linux', path: undefined }],
  ['device:///dev/tpmrm1', { kind: 'linux', path: '/dev/tpmrm1' }],
  ['tbs:', { kind: 'tbs' }],
  ['TBS://', { kind: 'tbs' }],
];

describe('parseTpmAddress', () => {
  test.each(known)('reads %s', (text, address) => {
    expect(parseTpmAddress(text)).toEqual(address);
  });

  test.each(known)('reads back what it writes for %s', (_, address) => {
    expect(parseTpmAddress(formatTpmAddress(address))).toEqual(address);
  });

  test.each([
    '',
    'swtpm',
    'http://localhost:1',
    'swtpm://',
    'swtpm://:2321',
    'swtpm://host:0',
    'swtpm://host:65536',
    'swtpm://host:port',
    'swtpm://user@host:1',
    'swtpm://host:1/path',
    'swtpm://host:1?platform-port=2',
    'swtpm://host:1#x',
    'mssim://host:1?platform-port=0',
    'mssim://host:1?other=1',
    'swtpm+unix://relative',
    'swtpm+unix:',
    'swtpm+unix:///a%00b',
    'swtpm+unix:///a%zz',
    `swtpm+unix:///${'x'.repeat(120)}`,
    'device://dev/tpm0',
    'device:/dev/tpm0',
    'tbs:0',
    'tbs:///x',
  ])('refuses %j before any IO, naming the forms there are', async (text) => {
    const failure = await openTpmDevice(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidArgumentError);
    expect(failure).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', argument: 'tpm' });
    expect(String(failure)).toContain('swtpm+unix:///path');
  });
});
