import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate with its key, made by the OpenSSL command line. */
export interface Issued {
  readonly pem: string;
  readonly keyPem: string;
  readonly der: Uint8Array;
  readonly x509: X509Certificate;
}

/** What a certificate shall say. */
export interface CertificateWish {
  /** In the form of `openssl req -subj`, for example `/CN=device`. */
  readonly subject: string;
  /** Signs it; itself when absent. */
  readonly issuer?: Issued;
  /** `basicConstraints`; default that of a device. */
  readonly constraints?: string;
  /** `keyUsage`, if any. */
  readonly keyUsage?: string;
  /** Default 30. */
  readonly days?: number;
}

/** Makes a P-256 certificate, about 30 ms. */
export function issue(wish: CertificateWish): Issued {
  const { subject, issuer, constraints = 'critical,CA:FALSE', keyUsage, days = 30 } = wish;
  const directory = mkdtempSync(join(tmpdir(), 'endorse-pki-'));
  const file = (name: string): string => join(directory, name);
  try {
    // Without a configuration of its own, openssl adds the extensions of the system's.
    writeFileSync(file('config'), '[req]\ndistinguished_name=names\n[names]\n');
    if (issuer !== undefined) {
      writeFileSync(file('ca.pem'), issuer.pem);
      writeFileSync(file('ca.key'), issuer.keyPem);
    }
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-config',
          file('config'),
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
        ],
        ...['-nodes', '-subj', subject, '-days', String(days), '-addext', `basicConstraints=${constraints}`],
        ...(keyUsage === undefined ? [] : ['-addext', `keyUsage=${keyUsage}`]),
        ...(issuer === undefined ? [] : ['-CA', file('ca.pem'), '-CAkey', file('ca.key')]),
        ...['-keyout', file('key'), '-out', file('pem')],
      ],
      { stdio: 'pipe' },
    );
    const pem = readFileSync(file('pem'), 'utf8');
    const x509 = new X509Certificate(pem);
    return { pem, keyPem: readFileSync(file('key'), 'utf8'), der: Uint8Array.from(x509.raw), x509 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A CA certificate. */
export function issueCa(subject: string, issuer?: Issued, constraints = 'critical,CA:TRUE'): Issued {
  return issue({ subject, constraints, ...(issuer === undefined ? {} : { issuer }) });
}
