import { describe, expect, test } from 'vitest';
import { rejection, settle } from '../common/rejection.ts';
import {
  activateFresh,
  checkedParts,
  flipBit,
  foreignKey,
  hmac,
  malformedBlobs,
  wrapForTpm,
} from './blobs.ts';
import type { SecurityClientSetup, TpmFixture } from './fixture.ts';

const probe = new TextEncoder().encode('who are you?');

/** Activation of wrapped keys. A client that is no TPM has none, which is asserted. */
export function activationTests(setup: SecurityClientSetup): void {
  const scenario = (title: string, run: (fixture: TpmFixture) => Promise<void>): void => {
    test(title, async () => {
      await using fixture = await setup();
      if (fixture.kind === 'tpm') await run(fixture);
      else expect('activateIdentityKey' in fixture.securityClient).toBe(false);
    });
  };

  describe('activation', () => {
    scenario('without any, there is nothing to sign with', async ({ securityClient }) => {
      const error = await rejection(securityClient.signWithIdentity(probe), /^ERR_TPM_/);
      expect(error.retryable).toBe(false);
    });

    scenario('of a wrapped key makes it the one that signs', async (fixture) => {
      const key = await activateFresh(fixture);
      expect(await fixture.securityClient.signWithIdentity(probe)).toEqual(hmac(key, probe));
    });

    scenario('of another key replaces the one before, any number of times', async (fixture) => {
      for (let count = 0; count < 4; count += 1) {
        const key = await activateFresh(fixture);
        expect(await fixture.securityClient.signWithIdentity(probe)).toEqual(hmac(key, probe));
      }
    });

    scenario('of the same blob may be repeated', async (fixture) => {
      const { key, blob } = await wrapForTpm(fixture);
      await fixture.securityClient.activateIdentityKey(blob);
      await fixture.securityClient.activateIdentityKey(blob);
      expect(await fixture.securityClient.signWithIdentity(probe)).toEqual(hmac(key, probe));
    });

    for (const part of checkedParts) {
      scenario(`of a blob with a changed bit in ${part} fails and keeps the working key`, async (fixture) => {
        const key = await activateFresh(fixture);
        const { blob } = await wrapForTpm(fixture);
        const activating = fixture.securityClient.activateIdentityKey(flipBit(blob, part));
        expect(await rejection(activating, /^ERR_TPM_/)).toMatchObject({ retryable: false });
        expect(await fixture.securityClient.signWithIdentity(probe)).toEqual(hmac(key, probe));
      });
    }

    scenario('of a blob that has lost its form fails and keeps the working key', async (fixture) => {
      const key = await activateFresh(fixture);
      const { blob } = await wrapForTpm(fixture);
      for (const [title, malformed] of malformedBlobs(blob)) {
        const outcome = await settle(fixture.securityClient.activateIdentityKey(malformed));
        expect(outcome, title).toMatchObject({
          status: 'rejected',
          reason: { code: expect.stringMatching(/^ERR_TPM_/) as unknown, retryable: false },
        });
      }
      expect(await fixture.securityClient.signWithIdentity(probe)).toEqual(hmac(key, probe));
    });

    scenario('of a blob for another endorsement key, or another storage root key, fails', async (fixture) => {
      const { securityClient, makeActivationBlob } = fixture;
      const key = await activateFresh(fixture);
      const endorsementKey = await securityClient.getEndorsementKey();
      const storageRootKey = await securityClient.getStorageRootKey();
      const fresh = new Uint8Array(32).fill(9);
      for (const foreign of [
        { endorsementKey: foreignKey(endorsementKey), storageRootKey, key: fresh },
        { endorsementKey, storageRootKey: foreignKey(storageRootKey), key: fresh },
      ]) {
        const blob = await makeActivationBlob(foreign);
        await rejection(securityClient.activateIdentityKey(blob), /^ERR_TPM_/);
      }
      expect(await securityClient.signWithIdentity(probe)).toEqual(hmac(key, probe));
    });

    scenario('of what is no bytes is refused', async ({ securityClient }) => {
      for (const wrong of ['blob', undefined, 7, [1, 2]]) {
        await rejection(securityClient.activateIdentityKey(wrong as never), /^ERR_INVALID_ARGUMENT$/);
      }
    });

    scenario('and signing at once ends in signatures of one key or the other', async (fixture) => {
      const before = await activateFresh(fixture);
      const { key: after, blob } = await wrapForTpm(fixture);
      const { securityClient } = fixture;
      const [early, , late] = await Promise.all([
        securityClient.signWithIdentity(probe),
        securityClient.activateIdentityKey(blob),
        securityClient.signWithIdentity(probe),
      ]);
      const either = [hmac(before, probe), hmac(after, probe)];
      expect(either).toContainEqual(early);
      expect(either).toContainEqual(late);
      expect(await securityClient.signWithIdentity(probe)).toEqual(hmac(after, probe));
    });

    scenario('leaves nothing of the key in what it rejects with', async (fixture) => {
      const { key, blob } = await wrapForTpm(fixture);
      const error = await rejection(
        fixture.securityClient.activateIdentityKey(flipBit(blob, 'publicArea')),
        /^ERR_TPM_/,
      );
      const printed = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.stack);
      for (const encoding of ['hex', 'base64'] as const) {
        expect(printed).not.toContain(Buffer.from(key).toString(encoding));
      }
    });
  });
}
