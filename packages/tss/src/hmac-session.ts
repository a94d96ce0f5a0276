/**
 * HMAC sessions for tss.js's commands: authorization values stay off the bus, every command and response is signed,
 * first parameters are encrypted (Part 1, 19 and 21). The mathematics are those of `@endorse/tpm2`.
 */
import type { RandomSource } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { TpmKeyError } from '@endorse/security-tpm';
import type { AuthSession } from '@endorse/security-tpm';
import { aes128Cfb, computeName, decodePublic, deriveSessionKey, encapsulateSecret } from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';
import { Session, TPMT_SYM_DEF, TPM_ALG_ID, TPM_HANDLE, TPM_SE } from './generated/tssjs.mjs';
import type { Tpm } from './tpm.ts';

/** Options of {@link startHmacSession}. */
export interface HmacSessionOptions {
  /**
   * Key that the salt is encrypted to, loaded in the TPM; whoever listens or substitutes bytes on the bus then learns
   * nothing. Its `name`, when set, must be that of the key found. Default none: the session then protects only as well
   * as the authorization values of what it authorises.
   */
  readonly saltKey?: TPM_HANDLE | undefined;
  /** Encrypt the first parameter of commands that can have it encrypted; default true. */
  readonly encryptCommand?: boolean | undefined;
  /** Have the TPM encrypt the first parameter of responses that can have it encrypted; default true. */
  readonly encryptResponse?: boolean | undefined;
  /** Source of nonce and salt; default the system's. */
  readonly random?: RandomSource | undefined;
}

const nonceBytes = 32;
const nothing = new Uint8Array(0);

/**
 * Starts an HMAC session (SHA-256, AES-128-CFB), to be handed to `tpm.withSession()`, any number of times.
 * The value it authorises with is the `authValue` of the handle in question. The caller flushes `session.handle`.
 *
 * Rejects with a `TpmError`, and with `ERR_TPM_NAME_MISMATCH` when the salt key is not the one its name says.
 */
export async function startHmacSession(tpm: Tpm, options: HmacSessionOptions = {}): Promise<HmacSession> {
  const { saltKey, random = systemRandom } = options;
  const salt =
    saltKey === undefined ? undefined : encapsulateSecret(await readSaltKey(tpm, saltKey), 'SECRET', random);
  const nonceCaller = random.bytes(nonceBytes);
  const { handle, nonceTPM } = await tpm.StartAuthSession(
    saltKey ?? TPM_HANDLE.NULL,
    TPM_HANDLE.NULL,
    nonceCaller,
    salt?.encryptedSecret ?? nothing,
    TPM_SE.HMAC,
    new TPMT_SYM_DEF(TPM_ALG_ID.AES, 128, TPM_ALG_ID.CFB),
    TPM_ALG_ID.SHA256,
  );
  const hash = 'sha256';
  const sessionKey = deriveSessionKey({
    hash,
    nonceTpm: nonceTPM,
    nonceCaller,
    ...(salt === undefined ? {} : { salt: salt.seed }),
  });
  salt?.seed.fill(0);
  const state: AuthSession = {
    kind: 'hmac',
    handle: handle.handle,
    hash,
    sessionKey,
    symmetric: aes128Cfb,
    nonceTpm: nonceTPM,
  };
  return new HmacSession(handle, state, options);
}

/** An HMAC session that is open in the TPM; a `Session` of tss.js, so `withSession()` takes it. */
export class HmacSession extends Session {
  /** For `tpm.FlushContext()`. */
  readonly handle: TPM_HANDLE;
  /** Keys and nonces, for the executor. */
  readonly state: AuthSession;
  /** True when first parameters of commands are encrypted. */
  readonly encryptCommand: boolean;
  /** True when first parameters of responses are encrypted. */
  readonly encryptResponse: boolean;

  constructor(handle: TPM_HANDLE, state: AuthSession, options: HmacSessionOptions) {
    super(handle, Buffer.from(state.nonceTpm));
    this.handle = handle;
    this.state = state;
    this.encryptCommand = options.encryptCommand ?? true;
    this.encryptResponse = options.encryptResponse ?? true;
  }
}

/** The public area is computed into the Name and compared: nobody vouches for ReadPublic. */
async function readSaltKey(tpm: Tpm, handle: TPM_HANDLE): Promise<PublicArea> {
  const { outPublic, name } = await tpm.ReadPublic(handle);
  const area = outPublic.toBytes();
  const computed = Buffer.from(computeName(area));
  const pinned = handle.name as Buffer | null;
  if (!computed.equals(name) || (pinned !== null && !computed.equals(pinned))) {
    throw new TpmKeyError('ERR_TPM_NAME_MISMATCH', 'the salt key is not the one its name says', {
      handle: handle.handle,
      remedy: 'Compare the name with a trusted one: somebody may be between this machine and its TPM.',
    });
  }
  return decodePublic(area);
}
