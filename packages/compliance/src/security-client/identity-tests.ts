import { X509Certificate, createPrivateKey } from 'node:crypto';
import { attestationKinds } from '@endorse/interface';
import { deriveRegistrationId, validateRegistrationId } from '@endorse/protocol';
import { describe, expect, test } from 'vitest';
import type { SecurityClientSetup } from './fixture.ts';

/** The methods of each kind; a client has those of its kind and none of another. */
const methods = {
  tpm: [
    'getRegistrationId',
    'getEndorsementKey',
    'getStorageRootKey',
    'activateIdentityKey',
    'signWithIdentity',
  ],
  'symmetric-key': ['getRegistrationId', 'signWithIdentity'],
  'token-issuer': ['getRegistrationId', 'issueSasToken'],
  x509: ['getRegistrationId', 'getCertificate'],
} as const;

const allMethods = [...new Set(Object.values(methods).flat())];

/** What the client says it is, and what it says about itself. */
export function identityTests(setup: SecurityClientSetup): void {
  describe('identity', () => {
    test('has version, kind and exactly the methods of its kind', async () => {
      await using fixture = await setup();
      const client = fixture.securityClient;
      expect(client.specificationVersion).toBe('v1');
      expect(attestationKinds).toContain(client.kind);
      expect(client.kind).toBe(fixture.kind === 'token-issuer' ? 'symmetric-key' : fixture.kind);
      for (const method of allMethods) {
        const belongs = methods[fixture.kind].some((own) => own === method);
        expect(typeof (client as unknown as Record<string, unknown>)[method], method).toBe(
          belongs ? 'function' : 'undefined',
        );
      }
    });

    test('has a registration id that is valid, stable and its own', async () => {
      await using fixture = await setup();
      const { securityClient: client } = fixture;
      const registrationId = await client.getRegistrationId();
      expect(validateRegistrationId(registrationId)).toBe(registrationId);
      expect(await client.getRegistrationId()).toBe(registrationId);
      if (fixture.registrationId !== undefined) {
        expect(registrationId).toBe(fixture.registrationId);
      } else if (client.kind === 'tpm') {
        expect(registrationId).toBe(deriveRegistrationId(await client.getEndorsementKey()));
      } else if (client.kind === 'x509') {
        const { certificatePem } = await client.getCertificate();
        expect(new X509Certificate(certificatePem).subject).toContain(`CN=${registrationId}`);
      } else {
        expect.fail('a symmetric key has nothing to derive a registration id from: the fixture must give it');
      }
    });

    test('gives out its public part: the keys of a TPM, the certificate of X.509, nothing of a shared key', async () => {
      await using fixture = await setup();
      switch (fixture.kind) {
        case 'tpm': {
          const { securityClient: client } = fixture;
          const endorsementKey = await client.getEndorsementKey();
          const storageRootKey = await client.getStorageRootKey();
          for (const [key, policyBytes] of [
            [endorsementKey, 32],
            [storageRootKey, 0],
          ] as const) {
            expect(key).toBeInstanceOf(Uint8Array);
            expect(((key[0] ?? 0) << 8) | (key[1] ?? 0), 'the size prefix of TPM2B_PUBLIC').toBe(
              key.length - 2,
            );
            // RSA or ECC; an EK of the TCG's templates differs from the SRK by its policy.
            expect([0x0001, 0x0023]).toContain(((key[2] ?? 0) << 8) | (key[3] ?? 0));
            if (key[3] === 0x01) expect(key).toHaveLength(284 + policyBytes);
          }
          expect(storageRootKey).not.toEqual(endorsementKey);
          // Callers get copies: what they do to them must not reach the client.
          endorsementKey.fill(0);
          expect((await client.getEndorsementKey()).some((byte) => byte !== 0)).toBe(true);
          expect(await client.getStorageRootKey()).toEqual(storageRootKey);
          break;
        }
        case 'x509': {
          const { certificatePem, privateKeyPem } = await fixture.securityClient.getCertificate();
          const key = createPrivateKey(privateKeyPem.revealText());
          expect(new X509Certificate(certificatePem).checkPrivateKey(key)).toBe(true);
          expect(JSON.stringify(await fixture.securityClient.getCertificate())).not.toContain('PRIVATE KEY');
          break;
        }
        case 'symmetric-key':
        case 'token-issuer': {
          const printed =
            JSON.stringify(fixture.securityClient) + String(Object.values(fixture.securityClient));
          expect(printed).not.toContain(Buffer.from(fixture.key).toString('base64'));
          break;
        }
        default:
          fixture satisfies never;
      }
    });
  });
}
