import { EndorseError } from '@endorse/interface';
import type { EndorseErrorOptions } from '@endorse/interface';

/** Codes of {@link X509IdentityError}. */
export type X509IdentityErrorCode =
  | 'ERR_X509_NOT_PEM'
  | 'ERR_X509_NO_CERTIFICATE'
  | 'ERR_X509_CERTIFICATE_MALFORMED'
  | 'ERR_X509_NO_PRIVATE_KEY'
  | 'ERR_X509_PRIVATE_KEY_MALFORMED'
  | 'ERR_X509_PASSPHRASE_REQUIRED'
  | 'ERR_X509_PASSPHRASE_WRONG'
  | 'ERR_X509_KEY_MISMATCH'
  | 'ERR_X509_CHAIN'
  | 'ERR_X509_EXPIRED'
  | 'ERR_X509_NOT_YET_VALID'
  | 'ERR_X509_COMMON_NAME'
  | 'ERR_X509_REGISTRATION_ID'
  | 'ERR_X509_FILE_UNREADABLE'
  | 'ERR_X509_FILE_MODE'
  | 'ERR_X509_PKCS12_MALFORMED'
  | 'ERR_X509_PKCS12_UNSUPPORTED';

/** The certificate, its key or its chain cannot be used. Noticed before anything was sent; never quotes a key. */
export class X509IdentityError extends EndorseError {
  readonly code: X509IdentityErrorCode;
  readonly fault = 'caller';
  /** True only for `ERR_X509_NOT_YET_VALID`: a device's clock may be set later than its programs start. */
  readonly retryable: boolean;

  constructor(code: X509IdentityErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retryable = code === 'ERR_X509_NOT_YET_VALID';
  }
}
