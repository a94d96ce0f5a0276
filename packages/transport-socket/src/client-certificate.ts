import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { ClientCertificate } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';

/**
 * Checks that a client certificate parses and that its key belongs to its leaf, so that neither fails as an
 * opaque TLS alert later. Throws `ERR_INVALID_ARGUMENT`; nothing of the key gets into the error.
 */
export function checkClientCertificate(certificate: ClientCertificate): {
  readonly cert: string;
  readonly key: string;
} {
  const argument = 'attestation.certificate';
  const { certificatePem: cert, privateKeyPem } = certificate ?? {};
  if (typeof cert !== 'string' || typeof privateKeyPem?.revealText !== 'function') {
    throw new InvalidArgumentError(argument, 'must have certificatePem and privateKeyPem');
  }
  const leaf = attempt(() => new X509Certificate(cert));
  if (leaf === undefined)
    throw new InvalidArgumentError(`${argument}.certificatePem`, 'must be a PEM certificate');
  const key = privateKeyPem.revealText();
  const privateKey = attempt(() => createPrivateKey(key));
  if (privateKey === undefined) {
    throw new InvalidArgumentError(`${argument}.privateKeyPem`, 'must be an unencrypted PEM private key');
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new InvalidArgumentError(`${argument}.privateKeyPem`, 'does not belong to the first certificate');
  }
  return { cert, key };
}

/** What `parse` returns; undefined when it throws. OpenSSL's error may quote its input, so it is dropped. */
function attempt<Value>(parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
