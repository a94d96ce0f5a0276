/**
 * Oracle: the messages in `docs/discovery-format.md`, written by hand; they are read from there, so that the
 * document and the codec cannot drift apart.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jsonDiscoveryCodec as codec } from '@endorse/discovery';
import { device } from './support/devices.ts';

const documented = [
  ...readFileSync(new URL('../../../docs/discovery-format.md', import.meta.url), 'utf8').matchAll(
    /```json\n([^]*?)```/g,
  ),
].map((match) => JSON.parse(match[1] ?? '') as Record<string, unknown>);
const example = (type: string): Record<string, unknown> =>
  documented.find((message) => message['t'] === type) ?? {};
const bytesOf = (message: unknown): Uint8Array => Buffer.from(JSON.stringify(message));
const id = 'AAECAwQFBgcICQoLDA0ODw';

describe('documented messages', () => {
  test('the probe is what the document shows, and exactly 1,200 bytes', () => {
    const shown = { ...example('probe'), pad: undefined };
    const encoded = codec.encodeProbe({
      id,
      maxReplyDelayMs: 500,
      filter: { vendor: 'Example', state: 'factory' },
    });
    expect({ ...(JSON.parse(Buffer.from(encoded).toString()) as object), pad: undefined }).toEqual(shown);
    expect(encoded.byteLength).toBe(1200);
  });

  test('the reply decodes to the device, and encodes back to itself', () => {
    const reply = codec.decodeReply(bytesOf(example('device')));
    expect(reply).toEqual({
      id,
      device: device({
        hostname: 'gateway-1',
        addresses: ['192.168.3.21', '192.168.4.127'],
        firmware: '1.6.0',
        software: '2.4.1',
        tlsSha256: '5f'.repeat(32),
      }),
    });
    const encoded = codec.encodeReply(reply, { maxBytes: 1200 });
    expect(JSON.parse(Buffer.from(encoded).toString())).toEqual(example('device'));
  });
});

describe('decoding', () => {
  const reply = example('device');
  test.each<[string, unknown, string]>([
    ['an array', [], 'ERR_REMOTE_MALFORMED'],
    ['another protocol', { ...reply, p: 'ssdp' }, 'ERR_REMOTE_MALFORMED'],
    ['another major version', { ...reply, v: 2 }, 'ERR_REMOTE_UNEXPECTED'],
    ['a probe', example('probe'), 'ERR_REMOTE_UNEXPECTED'],
    ['a short id', { ...reply, id: 'AAEC' }, 'ERR_REMOTE_MALFORMED'],
    ['no serial', { ...reply, serial: undefined }, 'ERR_REMOTE_MALFORMED'],
    ['a serial with a line break', { ...reply, serial: 'A\nB' }, 'ERR_REMOTE_MALFORMED'],
    ['a serial that moves the cursor', { ...reply, serial: 'A\u001B[2J' }, 'ERR_REMOTE_MALFORMED'],
    ['no API', { ...reply, api: undefined }, 'ERR_REMOTE_MALFORMED'],
    ['no port', { ...reply, api: { scheme: 'https', path: '/' } }, 'ERR_REMOTE_MALFORMED'],
    ['port 65536', { ...reply, api: { scheme: 'https', port: 65_536, path: '/' } }, 'ERR_REMOTE_MALFORMED'],
    ['plain HTTP', { ...reply, api: { scheme: 'http', port: 80, path: '/' } }, 'ERR_REMOTE_MALFORMED'],
    [
      'a path to another host',
      { ...reply, api: { scheme: 'https', port: 1, path: '/@evil:1/' } },
      'ERR_REMOTE_MALFORMED',
    ],
    ['an address that is none', { ...reply, addresses: ['gateway'] }, 'ERR_REMOTE_MALFORMED'],
    ['nine addresses', { ...reply, addresses: Array(9).fill('10.0.0.1') }, 'ERR_REMOTE_MALFORMED'],
    ['a bad MAC', { ...reply, mac: '00:90:e8' }, 'ERR_REMOTE_MALFORMED'],
    ['a bad TLS digest', { ...reply, tls: { sha256: 'abc' } }, 'ERR_REMOTE_MALFORMED'],
    ['an unknown state', { ...reply, state: 'stolen' }, 'ERR_REMOTE_MALFORMED'],
    ['too many bytes', { ...reply, junk: 'x'.repeat(1200) }, 'ERR_REMOTE_TOO_LARGE'],
  ])('refuses %s', (_title, message, code) => {
    expect(() => codec.decodeReply(bytesOf(message))).toThrowError(expect.objectContaining({ code }));
  });

  test('reads a MAC however it is written, and ignores fields it does not know', () => {
    const read = codec.decodeReply(bytesOf({ ...reply, mac: '00:90:E8:00:00:01', later: { deep: [1] } }));
    expect(read.device.mac).toBe('0090e8000001');
  });

  test('takes a state it was not told as unknown', () => {
    expect(codec.decodeReply(bytesOf({ ...reply, state: undefined })).device.state).toBe('unknown');
  });
});

describe('encoding a reply', () => {
  test('leaves out what is optional, the least useful first, before it says nothing', () => {
    const full = device({ hostname: 'h'.repeat(60), software: 's'.repeat(60) });
    const read = (maxBytes: number) =>
      codec.decodeReply(codec.encodeReply({ id, device: full }, { maxBytes })).device;
    const whole = codec.encodeReply({ id, device: full }, { maxBytes: 1200 }).byteLength;
    expect(read(whole - 1)).toEqual({ ...device(), software: 's'.repeat(60) });
    expect(read(whole - 100)).toEqual(device());
    expect(() => read(100)).toThrowError(expect.objectContaining({ code: 'ERR_LOCAL_UNENCODABLE' }));
  });
});
