import type { X509Certificate } from 'node:crypto';
import { findRegistrationIdProblem } from '@endorse/protocol';
import { describe } from './chain.ts';
import { X509IdentityError } from './errors.ts';

/** Longest common name of a certificate, in characters (`ub-common-name` of RFC 5280, appendix A.1). */
export const maxCommonNameLength = 64;

/** The common name of a leaf, which is its registration id. Throws `ERR_X509_COMMON_NAME` for none, several, or an unusable one. */
export function readCommonName(leaf: X509Certificate): string {
  // Node.js writes a repeated attribute as an array; `subject` alone cannot tell a value that looks like two.
  const { subject } = leaf.toLegacyObject() as { subject?: { CN?: string | string[] } };
  const commonName = subject?.CN;
  if (typeof commonName !== 'string') {
    throw commonNameError(
      `"${describe(leaf)}" has ${commonName === undefined ? 'no' : 'several'} common names`,
    );
  }
  const problem =
    commonName.length > maxCommonNameLength
      ? `must have at most ${maxCommonNameLength} characters, has ${commonName.length}`
      : findRegistrationIdProblem(commonName);
  if (problem !== undefined) {
    throw commonNameError(`the common name ${JSON.stringify(commonName.slice(0, 100))} ${problem}`);
  }
  return commonName;
}

function commonNameError(message: string): X509IdentityError {
  return new X509IdentityError('ERR_X509_COMMON_NAME', message, {
    remedy:
      'Issue a certificate whose common name is the registration id: letters, digits and - . _ : only, at most 64.',
  });
}
