import { InvalidArgumentError } from '@endorse/interface';
import { maxDigestSize } from '../algorithms.ts';
import { emptyBytes } from '../bytes/bytes.ts';
import type { Ticket } from '../structures/tickets.ts';
import { readTicket } from '../structures/tickets.ts';
import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_PolicySecret. */
export interface PolicySecretRequest {
  /** Entity whose authorization is proved, for example `rh.endorsement`. */
  readonly authHandle: number;
  readonly policySession: number;
  /** The session's current TPM nonce to bind to, or empty; default empty. */
  readonly nonceTpm?: Uint8Array | undefined;
  /** Hash of the command parameters to bind to, or empty; default empty. */
  readonly cpHashA?: Uint8Array | undefined;
  /** Label of the policy; default empty. */
  readonly policyRef?: Uint8Array | undefined;
  /** Seconds until it expires; 0 (default) never, negative asks for a ticket. */
  readonly expiration?: number | undefined;
}

/** Answer of TPM2_PolicySecret. */
export interface PolicySecretResponse {
  readonly timeout: Uint8Array;
  readonly policyTicket: Ticket;
}

/** TPM2_PolicySecret (Part 3, 23.4). */
export const policySecret: Command<PolicySecretRequest, PolicySecretResponse> = defineCommand({
  name: 'PolicySecret',
  code: 0x151,
  timeoutClass: 'session',
  handleCount: 2,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.authHandle, request.policySession],
  write: (writer, request) => {
    const { expiration = 0 } = request;
    if (!Number.isInteger(expiration) || expiration < -(2 ** 31) || expiration >= 2 ** 31) {
      throw new InvalidArgumentError('expiration', 'must be a 32-bit integer', 'ERR_OUT_OF_RANGE');
    }
    writer
      .sized(request.nonceTpm ?? emptyBytes, 'nonceTpm', maxDigestSize)
      .sized(request.cpHashA ?? emptyBytes, 'cpHashA', maxDigestSize)
      .sized(request.policyRef ?? emptyBytes, 'policyRef', maxDigestSize)
      .u32(expiration >>> 0, 'expiration');
  },
  read: (reader) =>
    Object.freeze({
      timeout: reader.sized('timeout', maxDigestSize),
      policyTicket: readTicket(reader, 'policyTicket', ['authSecret', 'authSigned']),
    }),
});

/** Parameters of TPM2_PolicyCommandCode. */
export interface PolicyCommandCodeRequest {
  readonly policySession: number;
  /** The command the policy is limited to. */
  readonly code: number;
}

/** TPM2_PolicyCommandCode (Part 3, 23.11). */
export const policyCommandCode: Command<PolicyCommandCodeRequest, NoFields> = defineCommand({
  name: 'PolicyCommandCode',
  code: 0x16c,
  timeoutClass: 'session',
  handleCount: 1,
  handles: (request) => [request.policySession],
  write: (writer, request) => void writer.u32(request.code, 'code'),
  read: readNothing,
});

/** Parameters of TPM2_PolicyGetDigest. */
export interface PolicyGetDigestRequest {
  readonly policySession: number;
}

/** Answer of TPM2_PolicyGetDigest. */
export interface PolicyGetDigestResponse {
  readonly policyDigest: Uint8Array;
}

/** TPM2_PolicyGetDigest (Part 3, 23.19). */
export const policyGetDigest: Command<PolicyGetDigestRequest, PolicyGetDigestResponse> = defineCommand({
  name: 'PolicyGetDigest',
  code: 0x189,
  timeoutClass: 'session',
  handleCount: 1,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.policySession],
  read: (reader) => Object.freeze({ policyDigest: reader.sized('policyDigest', maxDigestSize) }),
});
