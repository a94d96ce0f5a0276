/** Oracle: OpenSSL's KBKDF (SP 800-108), run as `openssl kdf`. */
import { execFileSync } from 'node:child_process';
import type { HashAlgorithm } from '@endorse/tpm2';
import { kdfa } from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './support/random.ts';
import { toHex } from './support/bytes.ts';

function kbkdf(
  hash: HashAlgorithm,
  key: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): string {
  const options = [`digest:${hash}`, 'mac:HMAC', `hexkey:${toHex(key)}`, `salt:${label}`, 'mode:counter'];
  // OpenSSL refuses an empty context instead of leaving it out.
  if (context.byteLength > 0) options.push(`hexinfo:${toHex(context)}`);
  const args = [
    'kdf',
    '-keylen',
    String(length),
    ...options.flatMap((option) => ['-kdfopt', option]),
    'KBKDF',
  ];
  return execFileSync('openssl', args, { encoding: 'utf8', timeout: 20_000 })
    .trim()
    .replaceAll(':', '')
    .toLowerCase();
}

const labels = ['STORAGE', 'INTEGRITY', 'ATH', 'CFB', 'XOR', 'IDENTITY', 'DUPLICATE', 'SECRET'];
const hashes: readonly HashAlgorithm[] = ['sha1', 'sha256', 'sha384', 'sha512'];

describe('kdfa', () => {
  it.each(hashes)('derives what OpenSSL derives with %s', (hash) => {
    const random = seededRandom(hash);
    for (const [index, label] of labels.entries()) {
      const key = random.bytes(16 + index * 7);
      const [contextU, contextV] = [random.bytes(index * 5), random.bytes(34 - index * 4)];
      const length = 16 + index * 11;
      expect(toHex(kdfa(hash, key, label, contextU, contextV, length * 8)), label).toBe(
        kbkdf(hash, key, label, Buffer.concat([contextU, contextV]), length),
      );
    }
  });
});
