import { formatTpmAddress, parseTpmAddress } from '@endorse/security-tpm';
import type { TpmAddress } from '@endorse/security-tpm';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const port = fc.integer({ min: 1, max: 65_534 });
const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom('::1', '2001:db8::7'));
const path = fc
  .array(fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }), { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`)
  .filter((text) => !text.includes('\0') && text.isWellFormed() && Buffer.byteLength(text) <= 107);

const address: fc.Arbitrary<TpmAddress> = fc.oneof(
  fc.record({ kind: fc.constant('swtpm' as const), host, port }),
  fc.record({ kind: fc.constant('swtpm-unix' as const), path }),
  fc.record({ kind: fc.constant('mssim' as const), host, port, platformPort: port }),
  fc.record({ kind: fc.constant('linux' as const), path }),
);

test('every address that can be written is read back as itself', () => {
  fc.assert(
    fc.property(address, (value) => {
      expect(parseTpmAddress(formatTpmAddress(value))).toEqual(value);
    }),
  );
});

test('any text is an address or ERR_INVALID_ARGUMENT, nothing else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((rest) => `swtpm://${rest}`),
      ),
      (text) => {
        try {
          expect(parseTpmAddress(formatTpmAddress(parseTpmAddress(text)))).toEqual(parseTpmAddress(text));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
        }
      },
    ),
  );
});
