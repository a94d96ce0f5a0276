import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { TokenKey } from '@endorse/dynamic-registration/tokens';
import {
  createAsymmetricTokenKey,
  createSecretTokenKey,
  mintToken,
  tokenType,
  verifyToken,
} from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { jwtVerify } from 'jose';
import type { Summary } from '../support/statistics.ts';
import { medianRatio, summarize } from '../support/statistics.ts';

/** What one algorithm costs. */
export interface TokenVerificationFigures {
  readonly algorithm: string;
  /** One verification, in microseconds. */
  readonly endorseUs: Summary;
  readonly joseUs: Summary;
  readonly ratio: number;
}

const url = 'https://register.example.com/api/register-device';

/** Verifies the same tokens with ours and with bare jose, in turns, for each algorithm. */
export async function measureTokenVerification(size: {
  readonly rounds: number;
  readonly tokens: number;
}): Promise<readonly TokenVerificationFigures[]> {
  const issuer = 'example.com';
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed25519 = generateKeyPairSync('ed25519');
  const keys: readonly TokenKey[] = [
    createSecretTokenKey({ issuer, keyId: 'hs', secret: Secret.fromBytes(randomBytes(32)) }),
    createAsymmetricTokenKey({ issuer, keyId: 'es', key: p256.privateKey }),
    createAsymmetricTokenKey({ issuer, keyId: 'ed', key: ed25519.privateKey }),
  ];
  const publicKeys = [keys[0]?.keyObject, p256.publicKey, ed25519.publicKey];
  const figures: TokenVerificationFigures[] = [];
  for (const [index, key] of keys.entries()) {
    const verifier = publicKeys[index];
    if (verifier === undefined) throw new Error('no key to verify with');
    const minted = await mintToken({
      key,
      url,
      expiresInMs: 3_600_000,
      maxUses: 5,
      now: Date.now(),
      random: systemRandom,
    });
    const token = minted.token.revealText();
    const ours: number[] = [];
    const theirs: number[] = [];
    const verifiers =
      key.algorithm === 'HS256'
        ? key
        : createAsymmetricTokenKey({ issuer, keyId: key.keyId ?? '', key: verifier });
    for (let round = 0; round < size.rounds; round += 1) {
      ours.push(
        await time(size.tokens, () =>
          verifyToken(token, { keys: [verifiers], audience: [url], now: Date.now() }),
        ),
      );
      theirs.push(
        await time(size.tokens, () =>
          jwtVerify(token, verifier, {
            algorithms: [key.algorithm],
            issuer,
            audience: url,
            typ: tokenType,
            requiredClaims: ['exp', 'jti'],
          }),
        ),
      );
    }
    figures.push({
      algorithm: key.algorithm,
      endorseUs: summarize(ours),
      joseUs: summarize(theirs),
      ratio: medianRatio(ours, theirs),
    });
  }
  return figures;
}

/** Microseconds of one call, of many in a row. */
async function time(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < count; index += 1) await work();
  return ((performance.now() - startedAt) * 1000) / count;
}
