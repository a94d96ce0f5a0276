import type { TokenKey } from '@endorse/dynamic-registration/tokens';
import type { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';
import { secretFromEnv } from '../commands/secret-from-env.ts';
import { keyIdOf, openTokenKey } from './data-directory.ts';

/** Options that say whose tokens, and with which keys. */
export const tokenKeyOptions = {
  issuer: {
    type: 'string',
    value: 'NAME',
    summary: 'who makes the tokens, for example your domain',
    default: 'endorse-registrar',
  },
  'token-secret-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with a secret shared with whoever mints tokens (HS256)',
  },
  'key-id': {
    type: 'string',
    value: 'KID',
    summary: 'key id of that secret, or of the key file; default none for a secret, a fingerprint for a key',
  },
} as const;

/** What both functions read. */
export interface TokenKeyValues {
  readonly issuer: string;
  readonly 'token-secret-env': string | undefined;
  readonly 'key-id': string | undefined;
}

/** The key that `token mint` signs with: a shared secret, a key file, or the key of the data directory. Throws `UsageError` or `ERR_TOKEN_KEY`. */
export async function readSigningKey(
  values: TokenKeyValues & {
    readonly data: string;
    readonly key: string | undefined;
    readonly compatible: boolean;
  },
  env: Readonly<Record<string, string | undefined>>,
): Promise<TokenKey> {
  const { createAsymmetricTokenKey } = await import('@endorse/dynamic-registration/tokens');
  const secret = secretFromEnv('token-secret-env', values['token-secret-env'], env);
  if (secret !== undefined && values.key !== undefined) {
    throw new UsageError('--key and --token-secret-env are two keys; a token is signed with one');
  }
  if (secret !== undefined) return secretKey(values, secret, values.compatible);
  if (values.key === undefined) return openTokenKey(values.data, values.issuer);
  const pem = readOptionFile('key', values.key);
  const { keyObject } = createAsymmetricTokenKey({ issuer: values.issuer, key: pem });
  const keyId = values['key-id'] ?? keyIdOf(keyObject);
  return createAsymmetricTokenKey({ issuer: values.issuer, keyId, key: keyObject });
}

/** Every key that a registrar verifies with: those of a JWK set and a shared secret, or else the key of the data directory. Throws as {@link readSigningKey}. */
export async function readVerificationKeys(
  values: TokenKeyValues & {
    readonly data: string;
    readonly jwks: string | undefined;
    readonly compatible: boolean;
  },
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly TokenKey[]> {
  const secret = secretFromEnv('token-secret-env', values['token-secret-env'], env);
  const keys = [
    ...(values.jwks === undefined ? [] : await readJwks(values.jwks, values.issuer)),
    ...(secret === undefined ? [] : [await secretKey(values, secret, values.compatible)]),
  ];
  return keys.length > 0 ? keys : [await openTokenKey(values.data, values.issuer)];
}

async function secretKey(
  values: TokenKeyValues,
  secret: Secret,
  acceptWeakSecret: boolean,
): Promise<TokenKey> {
  const { createSecretTokenKey } = await import('@endorse/dynamic-registration/tokens');
  const keyId = values['key-id'];
  return createSecretTokenKey({
    issuer: values.issuer,
    secret,
    acceptWeakSecret,
    ...(keyId === undefined ? {} : { keyId }),
  });
}

async function readJwks(file: string, issuer: string): Promise<readonly TokenKey[]> {
  const { tokenKeysFromJwks } = await import('@endorse/dynamic-registration/tokens');
  const text = readOptionFile('jwks', file);
  let jwks: unknown;
  try {
    jwks = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--jwks: ${file} is no JSON`, { cause });
  }
  return tokenKeysFromJwks(jwks, { issuer });
}
