import type { HashAlgorithm } from '../algorithms.ts';
import { CodeTable, hashAlgorithms, maxDigestSize } from '../algorithms.ts';
import { emptyBytes } from '../bytes/bytes.ts';
import { rh } from '../handles.ts';
import { maxRsaKeyBytes } from '../structures/public-area.ts';
import type { SessionSymmetricDefinition } from '../structures/symmetric.ts';
import { writeSessionSymmetric } from '../structures/symmetric.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** Kinds of sessions (Part 2, 6.11 TPM_SE). */
export type SessionType = 'hmac' | 'policy' | 'trial';

/** Parameters of TPM2_StartAuthSession. */
export interface StartAuthSessionRequest {
  /** Key the salt is encrypted to; default `rh.null`: no salt. */
  readonly tpmKey?: number | undefined;
  /** Entity whose authorization value enters the session key; default `rh.null`: not bound. */
  readonly bind?: number | undefined;
  /** 16 bytes to a digest of `authHash`. */
  readonly nonceCaller: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET; default empty. */
  readonly encryptedSalt?: Uint8Array | undefined;
  readonly sessionType: SessionType;
  /** Cipher of parameter encryption; default `null`: none. */
  readonly symmetric?: SessionSymmetricDefinition | null | undefined;
  readonly authHash: HashAlgorithm;
}

/** Answer of TPM2_StartAuthSession. */
export interface StartAuthSessionResponse {
  /** Handle of the session; flush it. */
  readonly sessionHandle: number;
  /** The TPM's first nonce, as long as the caller's. */
  readonly nonceTpm: Uint8Array;
}

const sessionTypes = new CodeTable<SessionType>('session type', [
  ['hmac', 0x00],
  ['policy', 0x01],
  ['trial', 0x03],
]);

/** TPM2_StartAuthSession (Part 3, 11.1). */
export const startAuthSession: Command<StartAuthSessionRequest, StartAuthSessionResponse> = defineCommand({
  name: 'StartAuthSession',
  code: 0x176,
  // A salt costs one private-key operation, 0.1 to 0.5 s on real chips.
  timeoutClass: 'privateKey',
  handleCount: 2,
  responseHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.tpmKey ?? rh.null, request.bind ?? rh.null],
  write: (writer, request) => {
    writer
      .sized(request.nonceCaller, 'nonceCaller', maxDigestSize)
      .sized(request.encryptedSalt ?? emptyBytes, 'encryptedSalt', maxRsaKeyBytes)
      .u8(sessionTypes.codeOf(request.sessionType, 'sessionType'), 'sessionType');
    writeSessionSymmetric(writer, request.symmetric ?? null, 'symmetric');
    hashAlgorithms.write(writer, request.authHash, 'authHash');
  },
  read: (reader, sessionHandle) =>
    Object.freeze({ sessionHandle, nonceTpm: reader.sized('nonceTpm', maxDigestSize) }),
});
