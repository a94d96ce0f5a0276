import { defineCommand, type Command } from '../command/command.ts';
import { openRegistrarStore, storeOptions } from '../registrar/store-options.ts';

/** `endorse token list`: the tokens that were used or revoked. */
export const tokenListCommand: Command = defineCommand({
  path: ['token', 'list'],
  summary: 'list the registration tokens that were used or revoked',
  description: [
    'Lists what the store of a registrar knows of tokens: reference, issuer and id, how many devices each registered and may register, and whether it is void. Tokens that no device has used yet are not known.',
  ],
  options: { ...storeOptions },
  examples: [
    { line: 'endorse token list', says: 'of the registrar in ./endorse-registrar' },
    {
      line: 'DB=postgresql://… PEPPER=… endorse token list --database-url-env DB --pepper-env PEPPER',
      says: 'of a registrar on PostgreSQL',
    },
  ],
  async run(values, { output, env, signal }) {
    const store = await openRegistrarStore(values, env);
    try {
      for await (const token of store.tokens()) {
        signal.throwIfAborted();
        output.event({ event: 'token', ...token });
        const uses = `${token.uses} of ${token.maxUses ?? 'any number'}`;
        const state = token.revokedAt === undefined ? '' : output.style('red', '  void');
        output.result(`${token.reference}  ${token.issuer}  ${token.tokenId ?? '-'}  ${uses}${state}`);
      }
      return 0;
    } finally {
      await store.close();
    }
  },
});
