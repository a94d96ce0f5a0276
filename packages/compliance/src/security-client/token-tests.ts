import { Secret } from '@endorse/interface';
import { parseSasToken, registrationKeyName, verifySasSignature } from '@endorse/protocol';
import { describe, expect, test } from 'vitest';
import { rejection } from '../common/rejection.ts';
import type { SecurityClientSetup, TokenIssuerFixture } from './fixture.ts';

/** An ID scope to ask tokens for. */
export const probeScope = '0ne00000001';

/** Tokens of an issuer: for the registration and scope they were asked for, under its key, with their true life. */
export function tokenTests(setup: SecurityClientSetup): void {
  const scenario = (title: string, run: (fixture: TokenIssuerFixture) => Promise<void>): void => {
    test(title, async () => {
      await using fixture = await setup();
      if (fixture.kind === 'token-issuer') await run(fixture);
      else expect('issueSasToken' in fixture.securityClient).toBe(false);
    });
  };

  describe('an issued token', () => {
    scenario('is for the registration in the ID scope, and verifies', async (fixture) => {
      const { securityClient, key, registrationId } = fixture;
      for (const idScope of [probeScope, '0ne00000002']) {
        const { sasToken } = await securityClient.issueSasToken(idScope);
        const token = parseSasToken(sasToken.revealText());
        expect(token.resource).toBe(`${idScope}/registrations/${registrationId}`);
        expect(token.keyName).toBe(registrationKeyName);
        expect(verifySasSignature(token, key)).toBe(true);
      }
    });

    scenario('expires when it says, and not yet', async ({ securityClient }) => {
      const { sasToken, expiresAt } = await securityClient.issueSasToken(probeScope);
      expect(expiresAt).toBe(parseSasToken(sasToken.revealText()).expiresAtSeconds * 1000);
      expect(expiresAt).toBeGreaterThan(Date.now());
    });

    scenario(
      'belongs to who asked: disposing of it leaves the next one whole',
      async ({ securityClient }) => {
        const first = await securityClient.issueSasToken(probeScope);
        expect(first.sasToken).toBeInstanceOf(Secret);
        first.sasToken.dispose();
        const second = await securityClient.issueSasToken(probeScope);
        expect(second.sasToken.revealText()).toMatch(/^SharedAccessSignature /);
      },
    );

    scenario('for what is no ID scope is refused', async ({ securityClient }) => {
      for (const wrong of ['', 'a/b', undefined, 7]) {
        await rejection(securityClient.issueSasToken(wrong as never), /^ERR_INVALID_ARGUMENT$/);
      }
    });
  });
}
