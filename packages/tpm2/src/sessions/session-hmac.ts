/**
 * Arithmetic of authorization sessions (Part 1, 19.6).
 *
 * HMAC = HMAC_H(sessionKey ‖ authValue, pHash ‖ nonceNewer ‖ nonceOlder ‖ [nonceTPM of the decrypt session] ‖
 * [nonceTPM of the encrypt session] ‖ attributes). For a command the caller's nonce is the newer one, for a response
 * the TPM's. The bracketed nonces enter only the first session's HMAC, and only when another session does the
 * encrypting; when one other session does both, its nonce enters once.
 */
import { timingSafeEqual } from 'node:crypto';
import type { HashAlgorithm } from '../algorithms.ts';
import { digest, digestSize, hmac } from '../algorithms.ts';
import {
  concatBytes,
  emptyBytes,
  requireBytes,
  requireUnsigned,
  trimTrailingZeros,
  u32Bytes,
} from '../bytes/bytes.ts';
import { kdfa } from '../kdf.ts';

/** What {@link cpHash} takes. */
export interface CommandParameterHashOptions {
  readonly hash: HashAlgorithm;
  readonly commandCode: number;
  /** Names of the command's handles, in order. */
  readonly names: readonly Uint8Array[];
  /** The parameter area as it is sent, after encryption. */
  readonly parameters: Uint8Array;
}

/** cpHash (Part 1, 16.7): H(commandCode ‖ Names ‖ parameters). */
export function cpHash(options: CommandParameterHashOptions): Uint8Array {
  const code = u32Bytes(requireUnsigned('commandCode', options.commandCode, 32));
  return digest(options.hash, code, ...options.names, options.parameters);
}

/** What {@link rpHash} takes. */
export interface ResponseParameterHashOptions {
  readonly hash: HashAlgorithm;
  readonly commandCode: number;
  /** Default 0; only successful responses have sessions. */
  readonly responseCode?: number | undefined;
  /** The parameter area as it came, before decryption. */
  readonly parameters: Uint8Array;
}

/** rpHash (Part 1, 16.8): H(responseCode ‖ commandCode ‖ parameters). */
export function rpHash(options: ResponseParameterHashOptions): Uint8Array {
  const { hash, commandCode, responseCode = 0, parameters } = options;
  return digest(
    hash,
    u32Bytes(requireUnsigned('responseCode', responseCode, 32)),
    u32Bytes(requireUnsigned('commandCode', commandCode, 32)),
    parameters,
  );
}

/** What {@link deriveSessionKey} takes. */
export interface SessionKeyOptions {
  readonly hash: HashAlgorithm;
  /** Authorization value of the entity the session is bound to; absent when it is not bound. */
  readonly bindAuthValue?: Uint8Array | undefined;
  /** The salt in clear; absent when the session is not salted. */
  readonly salt?: Uint8Array | undefined;
  /** First nonce of the TPM. */
  readonly nonceTpm: Uint8Array;
  /** First nonce of the caller. */
  readonly nonceCaller: Uint8Array;
}

/**
 * Session key (Part 1, 19.6.8): KDFa(H, bindAuth ‖ salt, "ATH", nonceTPM, nonceCaller, digest bits);
 * empty when the session is neither bound nor salted.
 */
export function deriveSessionKey(options: SessionKeyOptions): Uint8Array {
  const { hash, bindAuthValue, salt, nonceTpm, nonceCaller } = options;
  if (bindAuthValue === undefined && salt === undefined) return emptyBytes;
  const key = concatBytes(trimTrailingZeros(bindAuthValue ?? emptyBytes), salt ?? emptyBytes);
  return kdfa(hash, key, 'ATH', nonceTpm, nonceCaller, digestSize(hash) * 8);
}

/** The keys of one session. */
export interface SessionKeys {
  readonly hash: HashAlgorithm;
  /** From {@link deriveSessionKey}; may be empty. */
  readonly sessionKey: Uint8Array;
  /**
   * Authorization value of the entity that is authorized. Empty when the session authorizes nothing, when it is bound
   * to that very entity, and for a policy session without PolicyAuthValue. Zero bytes at its end do not count.
   */
  readonly authValue: Uint8Array;
}

/** What {@link computeCommandHmac} takes. */
export interface CommandHmacOptions extends SessionKeys {
  readonly cpHash: Uint8Array;
  /** The nonce this command carries. */
  readonly nonceCaller: Uint8Array;
  /** The nonce of the TPM's last answer. */
  readonly nonceTpm: Uint8Array;
  /** First session only: nonceTPM of another session that decrypts the command's parameter. */
  readonly decryptNonceTpm?: Uint8Array | undefined;
  /** First session only: nonceTPM of another session that encrypts the response's parameter, unless it decrypts too. */
  readonly encryptNonceTpm?: Uint8Array | undefined;
  /** TPMA_SESSION bits of this session. */
  readonly sessionAttributes: number;
}

/** HMAC of a command for one session (Part 1, 19.6.5). */
export function computeCommandHmac(options: CommandHmacOptions): Uint8Array {
  return hmac(
    options.hash,
    hmacKey(options),
    options.cpHash,
    options.nonceCaller,
    options.nonceTpm,
    options.decryptNonceTpm ?? emptyBytes,
    options.encryptNonceTpm ?? emptyBytes,
    attributesByte(options.sessionAttributes),
  );
}

/** What {@link computeResponseHmac} takes. After HierarchyChangeAuth, `authValue` is the new one. */
export interface ResponseHmacOptions extends SessionKeys {
  readonly rpHash: Uint8Array;
  /** The nonce this response carries. */
  readonly nonceTpm: Uint8Array;
  /** The nonce of the command. */
  readonly nonceCaller: Uint8Array;
  /** TPMA_SESSION bits the response carries. */
  readonly sessionAttributes: number;
}

/** HMAC that a response must carry for one session (Part 1, 19.6.5). */
export function computeResponseHmac(options: ResponseHmacOptions): Uint8Array {
  return hmac(
    options.hash,
    hmacKey(options),
    options.rpHash,
    options.nonceTpm,
    options.nonceCaller,
    attributesByte(options.sessionAttributes),
  );
}

/** Checks the HMAC of a response, in constant time. */
export function verifyResponseHmac(options: ResponseHmacOptions & { readonly hmac: Uint8Array }): boolean {
  const expected = computeResponseHmac(options);
  const actual = requireBytes('hmac', options.hmac);
  return actual.byteLength === expected.byteLength && timingSafeEqual(actual, expected);
}

function hmacKey({ sessionKey, authValue }: SessionKeys): Uint8Array {
  return concatBytes(sessionKey, trimTrailingZeros(authValue));
}

function attributesByte(attributes: number): Uint8Array {
  return Uint8Array.of(requireUnsigned('sessionAttributes', attributes, 8));
}
