import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { rejection } from '../common/rejection.ts';
import { activateFresh, hmac } from './blobs.ts';
import type { SecurityClientFixture, SecurityClientSetup } from './fixture.ts';

/**
 * Lengths around what TPMs do differently: nothing, one byte, a block of SHA-256, the usual input buffer of 1024
 * bytes and one more (which makes it a sequence), and several buffers.
 */
const lengths = [0, 1, 64, 1024, 1025, 5000];

/** Signatures are HMAC-SHA256 under the identity key, for data of any length. X.509 does not sign, nor does an issuer of tokens sign anything else. */
export function signingTests(setup: SecurityClientSetup): void {
  describe('signing', () => {
    test.each(lengths)('%i bytes gives their HMAC-SHA256 under the identity key', async (length) => {
      await using fixture = await setup();
      const signer = await prepareSigner(fixture);
      if (signer === undefined) return;
      const data = Uint8Array.from(randomBytes(length));
      const copy = Uint8Array.from(data);
      expect(await signer.sign(data)).toEqual(hmac(signer.key, data));
      expect(data, 'what is signed must not be changed').toEqual(copy);
    });

    test('many pieces of data at once gives each its own signature', async () => {
      await using fixture = await setup();
      const signer = await prepareSigner(fixture);
      if (signer === undefined) return;
      const pieces = lengths.map((length, index) => new Uint8Array(length).fill(index));
      const signatures = await Promise.all(pieces.map((data) => signer.sign(data)));
      expect(signatures).toEqual(pieces.map((data) => hmac(signer.key, data)));
    });

    test('what is no bytes is refused', async () => {
      await using fixture = await setup();
      const signer = await prepareSigner(fixture);
      if (signer === undefined) return;
      for (const wrong of ['text', undefined, 7, [1, 2]]) {
        await rejection(signer.sign(wrong as never), /^ERR_INVALID_ARGUMENT$/);
      }
    });
  });
}

interface Signer {
  readonly key: Uint8Array;
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
}

/** A client that has a key, and the key; undefined, after asserting it, for those that sign nothing they are given. */
export async function prepareSigner(fixture: SecurityClientFixture): Promise<Signer | undefined> {
  switch (fixture.kind) {
    case 'tpm':
      return {
        key: await activateFresh(fixture),
        sign: (data) => fixture.securityClient.signWithIdentity(data),
      };
    case 'symmetric-key':
      return { key: fixture.key, sign: (data) => fixture.securityClient.signWithIdentity(data) };
    case 'token-issuer':
    case 'x509':
      expect('signWithIdentity' in fixture.securityClient).toBe(false);
      return undefined;
    default:
      return fixture satisfies never;
  }
}
