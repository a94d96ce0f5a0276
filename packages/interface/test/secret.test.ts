/** Oracle of the fingerprint: `printf '\x00\x01…\x0f' | sha256sum` of GNU coreutils. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Secret } from '../src/index.ts';

const sixteenBytes = Uint8Array.from({ length: 16 }, (_, index) => index);

describe('Secret', () => {
  test('shows its length and fingerprint, however it is printed', () => {
    const secret = Secret.fromBytes(sixteenBytes);
    const shown = '[Secret 16 bytes, sha256 be45cb26…]';
    expect(String(secret)).toBe(shown);
    expect([secret].join()).toBe(shown);
    expect(JSON.stringify({ secret })).toBe(`{"secret":"${shown}"}`);
    expect(secret.fingerprint).toBe('be45cb26');
    expect(secret.byteLength).toBe(16);
  });

  test('never shows the value to an inspector, not even its private fields', () => {
    const secret = Secret.fromText('correct horse battery staple');
    const shown = inspect(secret, { showHidden: true, depth: Infinity, getters: true });
    expect(shown).not.toContain('correct horse');
    expect(shown).not.toContain('63, 6f, 72');
    expect(shown).not.toContain('99, 111, 114');
    expect(Object.keys(secret).toSorted()).toEqual(['byteLength', 'fingerprint']);
  });

  test('reveals a copy each time, and is not changed through what it was made from', () => {
    const bytes = Uint8Array.from(sixteenBytes);
    const secret = Secret.fromBytes(bytes);
    bytes.fill(255);
    const first = secret.reveal();
    expect(first).toEqual(sixteenBytes);
    first.fill(0);
    expect(secret.reveal()).toEqual(sixteenBytes);
  });

  test('reveals text as it was, beyond ASCII too', () => {
    expect(Secret.fromText('päss•wörd').revealText()).toBe('päss•wörd');
  });

  test('forgets its value when disposed of, any number of times', () => {
    const secret = Secret.fromText('gone');
    secret.dispose();
    secret.dispose();
    const disposed = { code: 'ERR_LOCAL_STATE', state: 'disposed' };
    expect(() => secret.reveal()).toThrow(expect.objectContaining(disposed));
    expect(() => secret.revealText()).toThrow(expect.objectContaining(disposed));
    expect(secret.byteLength).toBe(4);
    expect(String(secret)).toContain('4 bytes');
  });
});

describe('Secret.fromBase64', () => {
  test.for([
    ['AAECAwQFBgcICQoLDA0ODw==', 16],
    ['AAECAwQFBgcICQoLDA0ODw', 16],
    ['', 0],
    ['/+8=', 2],
  ] as const)('takes %s', ([text, byteLength]) => {
    expect(Secret.fromBase64(text).byteLength).toBe(byteLength);
  });

  test.for(['not base64!', 'AAE*', 'A', '_-8', 'AAECAwQ\u0000'])('refuses %j', (text) => {
    expect(() => Secret.fromBase64(text)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'text' }),
    );
  });

  test('does not repeat a refused value in its message', () => {
    expect(() => Secret.fromBase64('hunter2 is my password')).not.toThrow(/hunter2/);
    expect(() => Secret.fromBase64('hunter2 is my password')).toThrow('must be base64');
  });
});

test.for([
  ['fromBytes', () => Secret.fromBytes(JSON.parse('[1,2]') as Uint8Array)],
  ['fromText', () => Secret.fromText(JSON.parse('7') as string)],
  ['fromBase64', () => Secret.fromBase64(JSON.parse('null') as string)],
] as const)('%s refuses another type', ([, make]) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
});
