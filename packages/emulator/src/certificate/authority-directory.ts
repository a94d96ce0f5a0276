import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmulatorError } from '../emulator-error.ts';
import type { CertificateAuthority } from './authority.ts';
import { authorityName, createAuthority } from './authority.ts';

/** An authority that lives in a directory. */
export interface StoredAuthority {
  readonly authority: CertificateAuthority;
  /** Path of the PEM file that clients trust. */
  readonly certificateFile: string;
}

/**
 * Reuses the authority in `directory`, or makes one there.
 *
 * `endorse-ca-secret.pem` (mode 0600) holds key and certificate together and is the
 * one that counts; `ca.pem` is written from it. The first is put in place by a hard link,
 * which fails when the name is taken, so that emulators starting at once agree on one CA.
 *
 * Throws `ERR_EMULATOR_CA` when the directory cannot be used or holds something else.
 */
export function openAuthorityDirectory(directory: string, now: number): StoredAuthority {
  const secretFile = join(directory, 'endorse-ca-secret.pem');
  const certificateFile = join(directory, 'ca.pem');
  try {
    mkdirSync(directory, { recursive: true });
    const authority = parseAuthority(readIfThere(secretFile) ?? storeNew(directory, secretFile, now), now);
    if (readIfThere(certificateFile) !== authority.certificatePem) {
      replaceFile(directory, certificateFile, authority.certificatePem);
    }
    return { authority, certificateFile };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EmulatorError('ERR_EMULATOR_CA', `cannot use the CA directory ${directory}: ${reason}`, {
      cause,
      remedy: `Make ${directory} writable, or delete endorse-ca-secret.pem in it to get a new CA.`,
    });
  }
}

function storeNew(directory: string, secretFile: string, now: number): string {
  const { certificatePem, privateKey } = createAuthority(now);
  const text = `${privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}${certificatePem}`;
  const temporary = join(directory, `.${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    linkSync(temporary, secretFile);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readFileSync(secretFile, 'utf8');
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function parseAuthority(text: string, now: number): CertificateAuthority {
  const certificatePem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(text)?.[0];
  if (certificatePem === undefined) throw new Error('endorse-ca-secret.pem holds no certificate');
  const certificate = new X509Certificate(certificatePem);
  const privateKey = createPrivateKey(text);
  // Signing with anybody else's CA would make the emulator's certificates look real.
  if (!certificate.subject.includes(authorityName.commonName)) {
    throw new Error('endorse-ca-secret.pem holds a CA that this emulator did not make');
  }
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error('key and certificate of the CA do not belong together');
  if (certificate.validToDate.getTime() <= now) throw new Error(`the CA expired on ${certificate.validTo}`);
  return { certificatePem, privateKey };
}

function replaceFile(directory: string, file: string, text: string): void {
  const temporary = join(directory, `.${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o644 });
    // The umask may have taken more than it should from a file that is meant to be read.
    chmodSync(temporary, 0o644);
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
