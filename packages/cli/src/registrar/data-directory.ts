import { createHash, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenKey } from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';

/** The files of a registrar: each is made when it is first needed, mode 0600. */
export const dataFiles = {
  database: 'registrar.db',
  tokenKey: 'token-key-secret.pem',
  pepper: 'pepper-secret.txt',
} as const;

/** Reads the pepper in the directory, or makes one. Throws `UsageError` when the directory cannot be used. */
export function openPepper(directory: string): Secret {
  const text = readOrMake(directory, dataFiles.pepper, () => `${randomBytes(32).toString('base64')}\n`);
  return Secret.fromBytes(Buffer.from(text.trim(), 'base64'));
}

/** Reads the key of tokens in the directory, or makes one (Ed25519); its id is a fingerprint of it. Throws `UsageError`. */
export async function openTokenKey(directory: string, issuer: string): Promise<TokenKey> {
  const { createAsymmetricTokenKey } = await import('@endorse/dynamic-registration/tokens');
  const pem = readOrMake(directory, dataFiles.tokenKey, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  const { keyObject } = createAsymmetricTokenKey({ issuer, key: pem });
  return createAsymmetricTokenKey({ issuer, keyId: keyIdOf(keyObject), key: keyObject });
}

/** A key id that is the same wherever the key is read: 16 hex digits of the SHA-256 of its public half. */
export function keyIdOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}

function readOrMake(directory: string, name: string, make: () => string): string {
  const file = join(directory, name);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    try {
      writeFileSync(temporary, make(), { flag: 'wx', mode: 0o600 });
      // Of two commands that make it at once the first wins, and both use it.
      linkSync(temporary, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`--data: cannot use ${directory}`, {
      cause,
      remedy: `Make ${directory} a directory that this user may write to.`,
    });
  }
}
