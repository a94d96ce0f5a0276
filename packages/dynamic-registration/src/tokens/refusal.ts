import type { EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/**
 * Why a token is refused. Stable, for audit logs and operators; a device is never told more than that its token is bad.
 *
 * - form: `not-a-string`, `too-large`, `malformed`, `not-canonical`, `duplicate-member`
 * - header: `algorithm-refused`, `critical-header`, `header-refused`, `type-refused`
 * - key: `key-unknown`, `key-ambiguous`, `signature-invalid`
 * - claims: `claim-missing`, `claim-malformed`, `audience-refused`, `expired`, `not-yet-valid`,
 *   `issued-in-the-future`, `lifetime-too-long`
 */
export type TokenRefusal =
  | 'not-a-string'
  | 'too-large'
  | 'malformed'
  | 'not-canonical'
  | 'duplicate-member'
  | 'algorithm-refused'
  | 'critical-header'
  | 'header-refused'
  | 'type-refused'
  | 'key-unknown'
  | 'key-ambiguous'
  | 'signature-invalid'
  | 'claim-missing'
  | 'claim-malformed'
  | 'audience-refused'
  | 'expired'
  | 'not-yet-valid'
  | 'issued-in-the-future'
  | 'lifetime-too-long';

/** A registration token that must not be accepted. The message names no part of the token but claim names. */
export class TokenRefusedError extends EndorseError {
  readonly fault = 'peer';
  readonly retryable = false;
  readonly code = 'ERR_TOKEN_REFUSED';
  /** Why, for the operator. */
  readonly reason: TokenRefusal;

  constructor(reason: TokenRefusal, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
  }
}

/** Why a key cannot be used for registration tokens. */
export type TokenKeyProblem =
  | 'secret-empty'
  | 'secret-too-short'
  | 'secret-is-a-key-file'
  | 'key-malformed'
  | 'key-type-refused'
  | 'algorithm-mismatch'
  | 'use-refused'
  | 'key-id-refused'
  | 'key-id-missing'
  | 'key-id-twice'
  | 'private-key-needed';

/** A key that registration tokens must not be signed or verified with. Never shows the key. */
export class TokenKeyError extends EndorseError {
  readonly fault = 'caller';
  readonly retryable = false;
  readonly code = 'ERR_TOKEN_KEY';
  /** What is wrong with it. */
  readonly problem: TokenKeyProblem;

  constructor(problem: TokenKeyProblem, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.problem = problem;
  }
}
