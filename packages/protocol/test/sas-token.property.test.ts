/** Properties of SAS tokens; the oracle for signatures is node:crypto's HMAC over the text the recipe names. */
import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSasToken, parseSasToken, verifySasSignature } from '@endorse/protocol';

const idScopes = fc.stringMatching(/^[A-Za-z0-9]{1,20}$/);
const registrationIds = fc.stringMatching(/^[A-Za-z0-9\-._:]{0,60}[A-Za-z0-9-]$/);
const keys = fc.uint8Array({ minLength: 16, maxLength: 64 });

test('a token verifies with its key and parses back to its fields, in both encodings', async () => {
  await fc.assert(
    fc.asyncProperty(
      idScopes,
      registrationIds,
      keys,
      fc.integer({ min: 0, max: 999_999_999_999 }),
      fc.constantFrom('percent' as const, 'raw' as const),
      async (idScope, registrationId, key, expiresAtSeconds, encoding) => {
        const resource = `${idScope}/registrations/${registrationId}`;
        const token = await createSasToken({
          resource,
          expiresAt: expiresAtSeconds * 1000,
          keyName: 'registration',
          encoding,
          sign: async (data) => Uint8Array.from(createHmac('sha256', key).update(data).digest()),
        });
        const parsed = parseSasToken(token.revealText());
        expect(parsed).toMatchObject({ resource, expiresAtSeconds, keyName: 'registration' });
        expect(verifySasSignature(parsed, key)).toBe(true);
      },
    ),
  );
});

test('a verifier signs the raw resource, so each way of escaping it has a signature of its own and verifies', () => {
  fc.assert(
    fc.property(
      idScopes,
      registrationIds,
      keys,
      fc.array(fc.integer({ min: 0, max: 2 })),
      (idScope, id, key, ways) => {
        const rawResource = `${idScope}/registrations/${id}`
          .split('')
          .map((character, index) => {
            const code = character.charCodeAt(0).toString(16).padStart(2, '0');
            const way = ways.length === 0 ? 0 : (ways[index % ways.length] ?? 0);
            return [character, `%${code}`, `%${code.toUpperCase()}`][way];
          })
          .join('');
        const signature = createHmac('sha256', key).update(`${rawResource}\n42`).digest('base64');
        const token = `SharedAccessSignature sr=${rawResource}&sig=${encodeURIComponent(signature)}&se=42`;
        const parsed = parseSasToken(token);
        expect(parsed.resource).toBe(`${idScope}/registrations/${id}`);
        expect(verifySasSignature(parsed, key)).toBe(true);
      },
    ),
  );
});

test('any text is parsed or refused with RemoteProtocolError', () => {
  const nearMisses = fc
    .array(fc.constantFrom('sr=', 'sig=', 'se=', 'skn=', '&', '%2F', '%', 'a', '1', '=', ' ', '\n', '🙂'))
    .map((parts) => `SharedAccessSignature ${parts.join('')}`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearMisses), (text) => {
      try {
        expect(parseSasToken(text).signature.byteLength).toBe(32);
      } catch (error) {
        expect(error).toMatchObject({ name: 'RemoteProtocolError' });
      }
    }),
    { numRuns: 500 },
  );
});
