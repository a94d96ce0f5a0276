import { createPrivateKey } from 'node:crypto';
import type { ClientCertificate } from '@endorse/interface';
import { InvalidArgumentError, Secret } from '@endorse/interface';
import type { AzureX509 } from './azure-types.ts';

/** A certificate of ours in the words of the official SDK. The key is in the clear, as TLS needs it. */
export function toAzureX509({ certificatePem, privateKeyPem }: ClientCertificate): AzureX509 {
  return { cert: certificatePem, key: privateKeyPem.revealText() };
}

/**
 * A certificate of the official SDK in ours: one PEM, leaf first, and the key without its passphrase.
 *
 * Throws `ERR_INVALID_ARGUMENT` when certificate or key is missing, when the key cannot be read, and for a key in an
 * OpenSSL engine, which gives none out.
 */
export function fromAzureX509(x509: AzureX509): ClientCertificate {
  if (typeof x509 !== 'object' || x509 === null) throw unusable('must be an object with cert and key');
  const { cert, key, passphrase, clientCertEngine } = x509;
  if (clientCertEngine !== undefined)
    throw unusable('has its key in an OpenSSL engine, which gives none out');
  if (cert === undefined || cert.length === 0) throw unusable('has no cert');
  if (key === undefined || key.length === 0) throw unusable('has no key');
  const certificates = typeof cert === 'string' || Buffer.isBuffer(cert) ? [cert] : cert;
  return {
    certificatePem: certificates.map((pem) => pem.toString().trimEnd()).join('\n') + '\n',
    privateKeyPem: Secret.fromText(readPrivateKey(key, passphrase)),
  };
}

function readPrivateKey(key: string | Buffer, passphrase: string | undefined): string {
  try {
    const privateKey = createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    // What OpenSSL says helps nobody, and may quote what it read.
    throw unusable(
      passphrase === undefined
        ? 'has a key that is no PEM, or needs a passphrase'
        : 'has a key that is no PEM, or of another passphrase',
    );
  }
}

function unusable(problem: string): InvalidArgumentError {
  return new InvalidArgumentError('certificate', problem);
}
