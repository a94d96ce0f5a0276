import type { KeyObject, X509Certificate } from 'node:crypto';
import { describe, orderChain } from './chain.ts';
import { readCommonName } from './common-name.ts';
import { X509IdentityError } from './errors.ts';

/** What a client holds: everything checked but the dates, which pass. */
export interface X509Identity {
  readonly registrationId: string;
  /** The leaf first, then each issuer. */
  readonly chain: readonly X509Certificate[];
  readonly key: KeyObject;
}

/**
 * Finds the certificate of `key` among `candidates` and puts all others behind it.
 *
 * Throws `ERR_X509_KEY_MISMATCH`, `ERR_X509_CHAIN`, `ERR_X509_COMMON_NAME`, and
 * `ERR_X509_REGISTRATION_ID` when the common name is not the given registration id.
 */
export function assembleIdentity(
  candidates: readonly X509Certificate[],
  key: KeyObject,
  registrationId: string | undefined,
): X509Identity {
  const leaf = candidates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) {
    const names = candidates.map((certificate) => `"${describe(certificate)}"`).join(', ');
    throw new X509IdentityError('ERR_X509_KEY_MISMATCH', `the private key does not belong to ${names}`, {
      remedy: 'Give the key the certificate was requested with, or request a certificate for this key.',
    });
  }
  const chain = orderChain(
    leaf,
    candidates.filter((certificate) => certificate !== leaf),
  );
  const commonName = readCommonName(leaf);
  if (registrationId !== undefined && registrationId !== commonName) {
    throw new X509IdentityError(
      'ERR_X509_REGISTRATION_ID',
      `the certificate is for ${commonName}, not for ${registrationId}`,
      { remedy: 'The service takes the registration id from the common name: give that one, or none.' },
    );
  }
  return { registrationId: commonName, chain, key };
}

/** Throws `ERR_X509_EXPIRED` or `ERR_X509_NOT_YET_VALID` unless every certificate is valid at `nowMs`, milliseconds since 1970. */
export function checkDates(chain: readonly X509Certificate[], nowMs: number): void {
  for (const certificate of chain) {
    const { validFromDate, validToDate } = certificate;
    const now = new Date(nowMs).toISOString();
    if (nowMs > validToDate.getTime()) {
      throw new X509IdentityError(
        'ERR_X509_EXPIRED',
        `"${describe(certificate)}" expired at ${validToDate.toISOString()}; it is ${now}`,
        { remedy: 'Renew the certificate, or set the clock of the device if that is wrong.' },
      );
    }
    if (nowMs < validFromDate.getTime()) {
      throw new X509IdentityError(
        'ERR_X509_NOT_YET_VALID',
        `"${describe(certificate)}" is not valid before ${validFromDate.toISOString()}; it is ${now}`,
        { remedy: 'Set the clock of the device.' },
      );
    }
  }
}
