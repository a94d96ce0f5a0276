import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret } from '../src/index.ts';

test('whatever the value, it comes back from bytes, text and base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme' }), (bytes, text) => {
      expect(Secret.fromBytes(bytes).reveal()).toEqual(bytes);
      expect(Secret.fromBase64(Buffer.from(bytes).toString('base64')).reveal()).toEqual(bytes);
      expect(Secret.fromText(text).revealText()).toBe(text.toWellFormed());
    }),
  );
});

test('whatever the value, nothing printed tells more than length and fingerprint', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), (bytes) => {
      const secret = Secret.fromBytes(bytes);
      const printed = [String(secret), JSON.stringify(secret), inspect(secret, { showHidden: true })].join(
        '\n',
      );
      const rest = printed.replaceAll(secret.fingerprint, '').replaceAll(String(secret.byteLength), '');
      expect(rest).not.toContain(Buffer.from(bytes).toString('hex').slice(0, 16));
      expect(rest).not.toContain(Buffer.from(bytes).toString('base64').slice(0, 10));
      expect(rest).not.toContain([...bytes].slice(0, 8).join(', '));
    }),
  );
});
