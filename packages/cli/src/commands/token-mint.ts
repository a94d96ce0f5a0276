import type { MintTokenOptions, MintedToken } from '@endorse/dynamic-registration/tokens';
import { systemRandom } from '@endorse/interface/node';
import { defineCommand, type Command } from '../command/command.ts';
import { toUsageError } from '../command/check-option.ts';
import { UsageError } from '../command/usage-error.ts';
import { parseDuration } from '../registrar/duration.ts';
import { storeOptions } from '../registrar/store-options.ts';
import { readSigningKey, tokenKeyOptions } from '../registrar/token-keys.ts';

/** `endorse token mint`: makes a registration token and prints it. */
export const tokenMintCommand: Command = defineCommand({
  path: ['token', 'mint'],
  summary: 'make a registration token, for the firmware of many devices',
  description: [
    'Signs a token with which devices register themselves, and prints it. It is signed with the key of the data directory, which is made when it is not there, with a key file, or with a shared secret.',
    'Everybody who has the token can register devices until it expires, is used up or revoked: limit it with --max-uses and --id-pattern. It is signed, not encrypted: put nothing secret into it.',
    '--compatible makes a token as the original template does, without expiry, audience and id, and with any secret.',
  ],
  options: {
    url: { type: 'string', value: 'URL', summary: 'where devices register', required: true },
    'expires-in': { type: 'string', value: 'TIME', summary: 'lifetime: 90d, 12h, 30m, 45s; default 90d' },
    'max-uses': {
      type: 'integer',
      value: 'N',
      summary: 'how many devices it registers',
      minimum: 1,
      maximum: 1_000_000_000,
    },
    'id-pattern': {
      type: 'string',
      value: 'PATTERN',
      summary: 'ids it registers: * any run, ? any character, # a digit',
    },
    recipe: { type: 'string', value: 'NAME', summary: 'recipe of its devices' },
    tag: { type: 'strings', value: 'NAME=VALUE', summary: 'tag of its devices' },
    broker: { type: 'string', value: 'URL', summary: 'broker its devices connect to, mqtts://…' },
    ek: {
      type: 'strings',
      value: 'NAME',
      summary: 'demand the TPM whose endorsement key has this Name (endorse tpm info), or `any`',
    },
    audience: { type: 'strings', value: 'URL', summary: 'registrar it is for; default --url' },
    'token-id': { type: 'string', value: 'ID', summary: 'its jti; default a random one' },
    data: storeOptions.data,
    key: {
      type: 'string',
      value: 'FILE',
      summary: 'PEM file of the private key to sign with (P-256 or Ed25519)',
    },
    ...tokenKeyOptions,
    compatible: { type: 'boolean', summary: 'make a token as the original template does' },
  },
  examples: [
    {
      line: 'endorse token mint --url https://localhost:8443/api/register-device > token.txt',
      says: 'with the key of ./endorse-registrar',
    },
    {
      line: 'endorse token mint --url https://r.example.com/api/register-device --max-uses 500 --id-pattern "SN-######"',
      says: 'for 500 devices with such serial numbers',
    },
    {
      line: 'JWT_SECRET=… endorse token mint --compatible --token-secret-env JWT_SECRET --issuer example.com --url https://r.example.com/api/register-device',
      says: 'as the original does',
    },
  ],
  async run(values, context) {
    const key = await readSigningKey(values, context.env);
    const { mintToken } = await import('@endorse/dynamic-registration/tokens');
    const lifetime = values['expires-in'] ?? (values.compatible ? undefined : '90d');
    const ek = values.ek.includes('any') ? 'any' : values.ek;
    const { token, claims, reference } = await namingOptions(mintToken, {
      key,
      url: values.url,
      now: Date.now(),
      random: systemRandom,
      compatible: values.compatible,
      ...(lifetime === undefined ? {} : { expiresInMs: parseDuration('expires-in', lifetime) }),
      ...(values['max-uses'] === undefined ? {} : { maxUses: values['max-uses'] }),
      ...(values['id-pattern'] === undefined ? {} : { idPattern: values['id-pattern'] }),
      ...(values.recipe === undefined ? {} : { recipe: values.recipe }),
      ...(values.tag.length === 0 ? {} : { tags: Object.fromEntries(values.tag.map(parseTag)) }),
      ...(values.broker === undefined ? {} : { broker: values.broker }),
      ...(ek.length === 0 ? {} : { endorsementKey: ek }),
      ...(values.audience.length === 0 ? {} : { audience: values.audience }),
      ...(values['token-id'] === undefined ? {} : { tokenId: values['token-id'] }),
    });
    // Handing it out is what the command is for.
    const text = token.revealText();
    context.output.event({ event: 'token', token: text, reference, keyId: key.keyId ?? null, claims });
    context.output.result(text);
    context.output.progress(`reference ${reference}, ${describeExpiry(claims.expiresAt)}`);
    if (key.isWeak) {
      context.output.diagnostic(
        'warning: the secret has fewer than 32 bytes and can be guessed; strict registrars refuse it',
      );
    }
    return 0;
  },
});

/** Mints, and names options in what is refused. */
async function namingOptions(
  mintToken: (options: MintTokenOptions) => Promise<MintedToken>,
  options: MintTokenOptions,
): Promise<MintedToken> {
  try {
    return await mintToken(options);
  } catch (error) {
    throw toUsageError(error, [], optionsByArgument) ?? error;
  }
}

/** The options whose arguments have other names; the others are found by theirs. */
const optionsByArgument: Readonly<Record<string, string>> = {
  expiresInMs: 'expires-in',
  tags: 'tag',
  endorsementKey: 'ek',
};

function describeExpiry(expiresAt: number | undefined): string {
  return expiresAt === undefined ? 'never expires' : `expires ${new Date(expiresAt).toISOString()}`;
}

function parseTag(text: string): readonly [string, string] {
  const [, name, value] = /^([A-Za-z0-9._-]{1,64})=(.{1,255})$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError('--tag is a name and a value: site=north');
  return [name, value];
}
