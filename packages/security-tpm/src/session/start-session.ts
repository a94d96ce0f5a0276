import type { RandomSource } from '@endorse/interface';
import { aes128Cfb, commands, deriveSessionKey, encapsulateSecret } from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';
import type { TpmScope } from '../executor/scope.ts';
import type { AuthSession } from './auth-session.ts';

/** A key in the TPM that a salt is encrypted to; its public area must be one that was checked. */
export interface SaltKey {
  /** Its handle, persistent or transient. */
  readonly handle: number;
  /** Its public area. */
  readonly area: PublicArea;
}

/** Options of starting a session. */
export interface StartSessionOptions {
  /** Source of the nonce and the salt. */
  readonly random: RandomSource;
  /** Aborts; the promise then rejects with its reason. */
  readonly signal: AbortSignal | undefined;
}

/** Nonces as long as the digest: the longest the specification allows. */
const nonceBytes = 32;
const hash = 'sha256';
const nothing = new Uint8Array(0);

/**
 * Starts an HMAC session whose key only the holder of `saltKey` can know, with AES-128-CFB for parameters.
 *
 * Who sits between us and the TPM then neither reads what the session encrypts nor changes what it signs: a salt
 * encrypted to a key of theirs would make every HMAC fail (Part 1, 19.6.13).
 */
export async function startSaltedSession(
  scope: TpmScope,
  saltKey: SaltKey,
  { random, signal }: StartSessionOptions,
): Promise<AuthSession> {
  const nonceCaller = random.bytes(nonceBytes);
  const { seed, encryptedSecret } = encapsulateSecret(saltKey.area, 'SECRET', random);
  try {
    const { sessionHandle, nonceTpm } = await scope.execute(
      commands.StartAuthSession,
      {
        tpmKey: saltKey.handle,
        nonceCaller,
        encryptedSalt: encryptedSecret,
        sessionType: 'hmac',
        symmetric: aes128Cfb,
        authHash: hash,
      },
      { signal },
    );
    const sessionKey = deriveSessionKey({ hash, salt: seed, nonceTpm, nonceCaller });
    return { kind: 'hmac', handle: sessionHandle, hash, sessionKey, symmetric: aes128Cfb, nonceTpm };
  } finally {
    seed.fill(0);
  }
}

/** Starts a policy session without a key of its own: it satisfies a policy and protects nothing. */
export async function startPolicySession(
  scope: TpmScope,
  { random, signal }: StartSessionOptions,
): Promise<AuthSession> {
  const { sessionHandle, nonceTpm } = await scope.execute(
    commands.StartAuthSession,
    { nonceCaller: random.bytes(nonceBytes), sessionType: 'policy', authHash: hash },
    { signal },
  );
  return { kind: 'policy', handle: sessionHandle, hash, sessionKey: nothing, symmetric: null, nonceTpm };
}
