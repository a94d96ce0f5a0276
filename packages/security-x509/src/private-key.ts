import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Secret } from '@endorse/interface';
import { X509IdentityError } from './errors.ts';
import { readPemBlocks } from './pem.ts';

/** A private key, and whether a passphrase protected it where it came from. */
export interface ReadPrivateKey {
  readonly key: KeyObject;
  readonly encrypted: boolean;
}

/**
 * Reads the one private key of a PEM text: PKCS#8, encrypted or not, or the older forms of OpenSSL.
 *
 * Throws `ERR_X509_NOT_PEM`, `ERR_X509_NO_PRIVATE_KEY`, `ERR_X509_PASSPHRASE_REQUIRED`,
 * `ERR_X509_PASSPHRASE_WRONG`, and `ERR_X509_PRIVATE_KEY_MALFORMED` for a damaged key or two of them.
 */
export function readPrivateKey(pem: string, passphrase: Secret | undefined, title: string): ReadPrivateKey {
  const blocks = readPemBlocks(pem, title).filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [block] = blocks;
  if (block === undefined) {
    throw new X509IdentityError('ERR_X509_NO_PRIVATE_KEY', `${title} holds no private key`, {
      remedy: 'Give the PEM that has the -----BEGIN PRIVATE KEY----- block belonging to the certificate.',
    });
  }
  if (blocks.length > 1) throw malformed(`${title} holds ${blocks.length} private keys`);
  const encrypted = isEncrypted(block.label, block.text);
  if (encrypted && passphrase === undefined) {
    throw new X509IdentityError('ERR_X509_PASSPHRASE_REQUIRED', `the private key in ${title} is encrypted`, {
      remedy: 'Give its passphrase as a Secret, or decrypt it with `openssl pkey`.',
    });
  }
  try {
    const key = encrypted
      ? createPrivateKey({ key: block.text, passphrase: passphrase?.revealText() ?? '' })
      : createPrivateKey(block.text);
    return { key, encrypted };
  } catch (cause) {
    throw encrypted
      ? wrongPassphrase(title, cause)
      : malformed(`${title} holds a damaged private key`, cause);
  }
}

/** Reads a private key from PKCS#8 DER. Throws `ERR_X509_PRIVATE_KEY_MALFORMED`. */
export function readPkcs8(der: Uint8Array, title: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw malformed(`${title} holds a damaged private key`, cause);
  }
}

/** Says that decrypting failed; a damaged key cannot be told from a wrong passphrase. */
export function wrongPassphrase(title: string, cause?: unknown): X509IdentityError {
  return new X509IdentityError('ERR_X509_PASSPHRASE_WRONG', `the passphrase does not open ${title}`, {
    cause,
    remedy: 'Give the passphrase it was exported with; if that is the one, export it again.',
  });
}

/** PKCS#8 says it in the label (RFC 7468, 11), the older forms in a header of the block (RFC 1421, 4.6.1.1). */
function isEncrypted(label: string, text: string): boolean {
  return label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: *4, *ENCRYPTED/m.test(text);
}

function malformed(message: string, cause?: unknown): X509IdentityError {
  return new X509IdentityError('ERR_X509_PRIVATE_KEY_MALFORMED', message, {
    cause,
    remedy: 'Export the one key of the device again; `openssl pkey -noout -check` has to accept it.',
  });
}
