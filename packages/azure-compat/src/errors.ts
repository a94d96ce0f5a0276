import type { AttestationKind, EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';

/** Codes of {@link AzureSecurityClientError}, by the kind of the identity. */
export type AzureSecurityClientErrorCode =
  | 'ERR_TPM_AZURE_CLIENT'
  | 'ERR_KEY_AZURE_CLIENT'
  | 'ERR_X509_AZURE_CLIENT';

const codes = {
  tpm: 'ERR_TPM_AZURE_CLIENT',
  'symmetric-key': 'ERR_KEY_AZURE_CLIENT',
  x509: 'ERR_X509_AZURE_CLIENT',
} as const satisfies Record<AttestationKind, AzureSecurityClientErrorCode>;

/** A security client of the official SDK failed, or answered with something unusable; the original is the `cause`. */
export class AzureSecurityClientError extends EndorseError {
  readonly fault: 'tpm' | 'caller';
  readonly retryable = false;
  readonly code: AzureSecurityClientErrorCode;
  /** The method that failed, for example `activateIdentityKey`. */
  readonly method: string;

  constructor(kind: AttestationKind, method: string, problem: string, options: EndorseErrorOptions = {}) {
    super(`${method}: ${problem}`, options);
    this.code = codes[kind];
    this.fault = kind === 'tpm' ? 'tpm' : 'caller';
    this.method = method;
  }
}

const originals = new WeakMap<object, unknown>();

/** Notes what an error was made from, for {@link originalOf}. */
export function noteOriginal<Converted extends Error>(converted: Converted, original: unknown): Converted {
  originals.set(converted, original);
  return converted;
}

/** What an adapter of this package made the error from; the error itself when it made none. */
export function originalOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && originals.has(error) ? originals.get(error) : error;
}
