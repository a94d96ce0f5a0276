import { defineCommand, type Command } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { openRegistrarStore, storeOptions } from '../registrar/store-options.ts';
import { tokenKeyOptions } from '../registrar/token-keys.ts';
import { readTokenText, tokenTextOptions } from '../registrar/token-text.ts';

/** `endorse token revoke`: voids a registration token. */
export const tokenRevokeCommand: Command = defineCommand({
  path: ['token', 'revoke'],
  summary: 'void a registration token; its devices and other tokens live on',
  description: [
    'Voids a token in the store of a registrar, seen before or not: from now on it registers no device. Name it by the token itself, by its id and issuer, or by its reference (endorse token list).',
  ],
  options: {
    ...tokenTextOptions,
    'token-id': { type: 'string', value: 'ID', summary: 'jti of the token' },
    issuer: tokenKeyOptions.issuer,
    reference: { type: 'string', value: 'REF', summary: 'reference of the token' },
    ...storeOptions,
  },
  examples: [
    { line: 'endorse token revoke --token-file token.txt', says: 'the token in a file' },
    {
      line: 'endorse token revoke --reference jti:0123456789abcdef0123456789abcdef',
      says: 'one of the list',
    },
  ],
  exitCodes: { 3: 'it was void already' },
  async run(values, { output, env }) {
    const token = await identify(values, env);
    const store = await openRegistrarStore(values, env);
    try {
      const revoked = await store.revokeToken(token);
      output.event({ event: 'token-revoked', reference: token.reference, alreadyRevoked: !revoked });
      output.result(revoked ? `${token.reference} is void` : `${token.reference} was void already`);
      return revoked ? 0 : 3;
    } finally {
      await store.close();
    }
  },
});

interface IdentifiedToken {
  readonly reference: string;
  readonly issuer: string;
  readonly tokenId?: string | undefined;
}

async function identify(
  values: {
    readonly 'token-env': string | undefined;
    readonly 'token-file': string | undefined;
    readonly 'token-id': string | undefined;
    readonly issuer: string;
    readonly reference: string | undefined;
  },
  env: Readonly<Record<string, string | undefined>>,
): Promise<IdentifiedToken> {
  const text = readTokenText(values, env);
  const { reference, issuer } = values;
  const tokenId = values['token-id'];
  if ([text, tokenId, reference].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError('name one token: by --token-file, --token-env, --token-id or --reference');
  }
  const { inspectToken, referenceOfTokenId } = await import('@endorse/dynamic-registration/tokens');
  if (text !== undefined) {
    const inspected = inspectToken(text.revealText());
    return {
      reference: inspected.reference,
      issuer: inspected.claims.issuer,
      tokenId: inspected.claims.tokenId,
    };
  }
  if (tokenId !== undefined) return { reference: referenceOfTokenId(issuer, tokenId), issuer, tokenId };
  if (reference === undefined || !/^(jti|sig):[0-9a-f]{32}$/.test(reference)) {
    throw new UsageError('--reference is jti: or sig: and 32 hex digits, as `endorse token list` shows it');
  }
  return { reference, issuer };
}
