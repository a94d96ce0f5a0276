/** What registrars are tried with: a store in memory, a key, tokens and credentials that are good. */
import { randomUUID } from 'node:crypto';
import type { IssuedCredential, RegistrationStore } from '@endorse/dynamic-registration/store';
import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
import { createSecretTokenKey, mintToken } from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';

/** Signs and verifies the tokens. */
export const key = createSecretTokenKey({
  issuer: 'example.com',
  keyId: 'hs',
  secret: Secret.fromBytes(new Uint8Array(32).fill(7)),
});
/** Whom the tokens are for. */
export const audience = 'https://register.example.com/api/register-device';

/** A store that is gone with the process. */
export async function openTestStore(): Promise<RegistrationStore> {
  const database = await openSqlite(':memory:');
  return openStore({ database, peppers: { 1: Secret.fromBytes(new Uint8Array(32).fill(9)) } });
}

/** Registers a device of its own. */
export async function issue(store: RegistrationStore): Promise<IssuedCredential> {
  const manufacturerId = `device-${randomUUID()}`;
  const outcome = await store.register({
    token: { reference: 'jti:fleet', issuer: 'example.com', tokenId: 'fleet' },
    manufacturerId,
    sentId: manufacturerId,
    name: manufacturerId,
    recipe: 'tl-generator',
    definition: '{}',
    proof: new Uint8Array(32).fill(1),
  });
  if ('credential' in outcome) return outcome.credential;
  throw new Error('no credential was issued');
}

/** A token that is good for an hour. */
export async function mint(): Promise<string> {
  const options = { key, url: audience, expiresInMs: 3_600_000, now: Date.now(), random: systemRandom };
  return (await mintToken(options)).token.revealText();
}
