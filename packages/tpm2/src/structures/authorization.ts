import { maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { emptyBytes } from '../bytes/bytes.ts';
import { rh } from '../handles.ts';

/** TPMA_SESSION (Part 2, 8.4), as bits of a byte. */
export const sessionAttributes = {
  /** Keep the session after this command; without it the TPM flushes the session by itself on success. */
  continueSession: 0x01,
  auditExclusive: 0x02,
  auditReset: 0x04,
  /** The first parameter of the command is encrypted. */
  decrypt: 0x20,
  /** The first parameter of the response is to be encrypted. */
  encrypt: 0x40,
  audit: 0x80,
} as const;

/** TPMS_AUTH_COMMAND (Part 2, 10.13.2): one entry of a command's authorization area. */
export interface AuthorizationCommand {
  /** Handle of the session, or `rh.pw` for a plain password. */
  readonly sessionHandle: number;
  /** Caller's nonce; empty for a password. */
  readonly nonceCaller: Uint8Array;
  /** TPMA_SESSION bits; see `sessionAttributes`. */
  readonly sessionAttributes: number;
  /** HMAC of the command, or the password itself, or empty. */
  readonly hmac: Uint8Array;
}

/** TPMS_AUTH_RESPONSE (Part 2, 10.13.3): one entry of a response's authorization area. */
export interface AuthorizationResponse {
  /** The TPM's new nonce; empty for a password. */
  readonly nonceTpm: Uint8Array;
  /** TPMA_SESSION bits. */
  readonly sessionAttributes: number;
  /** HMAC of the response; empty for a password. */
  readonly hmac: Uint8Array;
}

/** Authorizes with a password in clear (TPM_RS_PW); default the empty one. */
export function passwordAuthorization(password: Uint8Array = emptyBytes): AuthorizationCommand {
  return {
    sessionHandle: rh.pw,
    nonceCaller: emptyBytes,
    sessionAttributes: sessionAttributes.continueSession,
    hmac: password,
  };
}

/** Writes TPMS_AUTH_COMMAND. */
export function writeAuthorization(
  writer: ByteWriter,
  authorization: AuthorizationCommand,
  argument: string,
): void {
  writer
    .u32(authorization.sessionHandle, `${argument}.sessionHandle`)
    .sized(authorization.nonceCaller, `${argument}.nonceCaller`, maxDigestSize)
    .u8(authorization.sessionAttributes, `${argument}.sessionAttributes`)
    .sized(authorization.hmac, `${argument}.hmac`, maxDigestSize);
}

/** Reads TPMS_AUTH_RESPONSE. */
export function readAuthorizationResponse(reader: ByteReader, field: string): AuthorizationResponse {
  return Object.freeze({
    nonceTpm: reader.sized(`${field}.nonceTpm`, maxDigestSize),
    sessionAttributes: reader.u8(`${field}.sessionAttributes`),
    hmac: reader.sized(`${field}.hmac`, maxDigestSize),
  });
}
