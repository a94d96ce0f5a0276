import { randomBytes, randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { RegistrarError } from './registrar-error.ts';

/** A TLS server's certificate and key, and the CA that clients have to trust. */
export interface ServerCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly caPem: string;
}

/** A server certificate of a CA that lives in a directory. */
export interface IssuedServerCertificate extends ServerCertificate {
  /** Path of the PEM file that clients trust. */
  readonly caFile: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

/** A device whose clock runs a little behind must still accept a fresh certificate. */
const backdatingMs = 3_600_000;

/** The longest that every client accepts. The registrar makes a new one at every start. */
const serverLifetimeMs = 397 * dayMs;

/**
 * Issues a P-256 server certificate for host names and addresses by the CA in `directory`, which is made there at the
 * first start: `ca.pem` for clients, `ca-secret.pem` (mode 0600) with the key. The certificate is written by
 * `@peculiar/x509`: what makes X.509 right is more than these few lines.
 * Rejects with `ERR_REGISTRAR_CA` when the directory cannot be used or holds something else.
 */
export async function issueServerCertificate(
  directory: string,
  hostnames: readonly string[],
  now: number,
): Promise<IssuedServerCertificate> {
  // The library is written with decorators, which need this polyfill before it is loaded.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  try {
    const secretFile = join(directory, 'ca-secret.pem');
    const caFile = join(directory, 'ca.pem');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stored =
      readIfThere(secretFile) ?? storeOnce(directory, secretFile, await makeAuthority(x509, now));
    const authority = await readAuthority(x509, stored, now);
    if (readIfThere(caFile) !== authority.caPem) replaceFile(directory, caFile, authority.caPem);
    const issued = await issue(x509, authority, hostnames, now);
    return { ...issued, caPem: authority.caPem, caFile };
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new RegistrarError('ERR_REGISTRAR_CA', `cannot use the CA in ${directory}: ${problem}`, {
      cause,
      remedy: `Make ${directory} writable, or remove ca-secret.pem from it to get a new CA, which every device must then trust.`,
    });
  }
}

type X509 = typeof import('@peculiar/x509');

interface Authority {
  readonly certificate: InstanceType<X509['X509Certificate']>;
  readonly privateKey: webcrypto.CryptoKey;
  readonly caPem: string;
}

async function makeAuthority(x509: X509, now: number): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Two registrars' CAs must not be mistaken for each other.
    name: `CN=Endorse registrar CA ${randomBytes(4).toString('hex')}`,
    notBefore: new Date(now - backdatingMs),
    notAfter: new Date(now + 3650 * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${await exportKey(keys.privateKey)}${certificate.toString('pem')}\n`;
}

async function readAuthority(x509: X509, text: string, now: number): Promise<Authority> {
  const caPem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(text)?.[0];
  const keyText = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(text)?.[1];
  if (caPem === undefined || keyText === undefined)
    throw new Error('ca-secret.pem holds no key and certificate');
  if (new X509Certificate(caPem).validToDate.getTime() <= now) throw new Error('the CA has expired');
  const key = Buffer.from(keyText, 'base64');
  const privateKey = await webcrypto.subtle.importKey('pkcs8', key, algorithm, false, ['sign']);
  return { certificate: new x509.X509Certificate(caPem), privateKey, caPem };
}

async function issue(
  x509: X509,
  authority: Authority,
  hostnames: readonly string[],
  now: number,
): Promise<{ readonly certificatePem: string; readonly privateKeyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=Endorse registrar',
    issuer: authority.certificate.subject,
    notBefore: new Date(now - backdatingMs),
    notAfter: new Date(now - backdatingMs + serverLifetimeMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hostnames.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    privateKeyPem: await exportKey(keys.privateKey),
  };
}

// 16 bytes with the top bits 01: positive, and never shortened.
function serialNumber(): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial.toString('hex');
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = bytes.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}

/** Registrars that start at once agree on one CA: a hard link fails when the name is taken. */
function storeOnce(directory: string, file: string, text: string): string {
  const temporary = join(directory, `.${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    linkSync(temporary, file);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readFileSync(file, 'utf8');
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function replaceFile(directory: string, file: string, text: string): void {
  const temporary = join(directory, `.${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o644 });
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
