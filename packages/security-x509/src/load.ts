import type { X509Certificate } from 'node:crypto';
import type { Clock, Secret } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { parseCertificate, parseCertificates } from './chain.ts';
import type { X509SecurityClientHandle } from './client.ts';
import { createClientOf } from './client.ts';
import type { X509Identity } from './identity.ts';
import { assembleIdentity } from './identity.ts';
import { checkClock, checkPassphrase, checkPath, checkRegistrationId } from './options.ts';
import { readPkcs12 } from './pkcs12/read-pkcs12.ts';
import { readPkcs8, readPrivateKey } from './private-key.ts';
import { checkNotLoose, readIdentityFile } from './read-file.ts';

/** Options of {@link loadX509SecurityClient}, whatever the form of the files. */
export interface X509FileOptions {
  /** Passphrase of the private key or the PKCS#12 file; default none. */
  readonly passphrase?: Secret | undefined;
  /** What the common name has to be; default whatever it is. */
  readonly registrationId?: string | undefined;
  /**
   * Accepts a file with a private key that no passphrase protects and that others than its owner
   * may read or change; default false. For mounts that cannot do better.
   */
  readonly allowLooseFileMode?: boolean | undefined;
  /** Tells whether the certificates are valid now; default the system's. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Aborts the loading; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link loadX509SecurityClient} for PEM. */
export interface PemFilesOptions extends X509FileOptions {
  /** File with the device's certificate; its issuers may stand there too, in any order. At most 1 MiB. */
  readonly certificateFile: string;
  /** File with the private key; may be the same file. */
  readonly privateKeyFile: string;
  /** File with issuers, in any order; default none beside those in `certificateFile`. */
  readonly chainFile?: string | undefined;
  /** Not together with files in PEM. */
  readonly pkcs12File?: undefined;
}

/** Options of {@link loadX509SecurityClient} for PKCS#12. */
export interface Pkcs12FileOptions extends X509FileOptions {
  /** File with certificate, issuers and private key (`.p12`, `.pfx`). At most 1 MiB. */
  readonly pkcs12File: string;
  /** Not together with PKCS#12. */
  readonly certificateFile?: undefined;
  /** Not together with PKCS#12. */
  readonly privateKeyFile?: undefined;
  /** Not together with PKCS#12. */
  readonly chainFile?: undefined;
}

/** Options of {@link loadX509SecurityClient}. */
export type LoadX509SecurityClientOptions = PemFilesOptions | Pkcs12FileOptions;

/**
 * Makes the security client of a certificate in files.
 *
 * Rejects like `createX509SecurityClient` throws, and with `ERR_X509_FILE_UNREADABLE`,
 * `ERR_X509_FILE_MODE`, `ERR_X509_PKCS12_MALFORMED` or `ERR_X509_PKCS12_UNSUPPORTED`.
 */
export async function loadX509SecurityClient(
  options: LoadX509SecurityClientOptions,
): Promise<X509SecurityClientHandle> {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  checkPassphrase(options.passphrase);
  checkRegistrationId(options.registrationId);
  const clock = checkClock(options.clock);
  options.signal?.throwIfAborted();
  const identity =
    options.pkcs12File === undefined ? await loadPem(options) : await loadPkcs12(options, options.pkcs12File);
  options.signal?.throwIfAborted();
  return createClientOf(identity, clock);
}

async function loadPem(options: PemFilesOptions): Promise<X509Identity> {
  const { passphrase, registrationId, allowLooseFileMode = false, signal } = options;
  const certificateFile = checkPath(options.certificateFile, 'options.certificateFile');
  const privateKeyFile = checkPath(options.privateKeyFile, 'options.privateKeyFile');
  const chainFile =
    options.chainFile === undefined ? undefined : checkPath(options.chainFile, 'options.chainFile');
  const candidates = await readCertificates(certificateFile, signal);
  if (chainFile !== undefined) candidates.push(...(await readCertificates(chainFile, signal)));
  const file = await readIdentityFile(privateKeyFile, signal);
  try {
    const { key, encrypted } = readPrivateKey(file.bytes.toString('latin1'), passphrase, privateKeyFile);
    if (!encrypted && !allowLooseFileMode) checkNotLoose(privateKeyFile, file.mode);
    return assembleIdentity(candidates, key, registrationId);
  } finally {
    file.bytes.fill(0);
  }
}

async function readCertificates(path: string, signal: AbortSignal | undefined): Promise<X509Certificate[]> {
  const { bytes } = await readIdentityFile(path, signal);
  return parseCertificates(bytes.toString('latin1'), path);
}

async function loadPkcs12(options: Pkcs12FileOptions, pkcs12File: string): Promise<X509Identity> {
  const { passphrase, registrationId, allowLooseFileMode = false, signal } = options;
  const path = checkPath(pkcs12File, 'options.pkcs12File');
  if (
    options.certificateFile !== undefined ||
    options.privateKeyFile !== undefined ||
    options.chainFile !== undefined
  ) {
    throw new InvalidArgumentError('options', 'must have either pkcs12File or files in PEM');
  }
  const file = await readIdentityFile(path, signal);
  const contents = await readPkcs12(file.bytes, {
    passphrase: passphrase?.revealText(),
    title: path,
    signal,
  });
  try {
    if (!contents.keyEncrypted && !allowLooseFileMode) checkNotLoose(path, file.mode);
    const candidates = contents.certificates.map((der) => parseCertificate(der, path));
    return assembleIdentity(candidates, readPkcs8(contents.privateKey, path), registrationId);
  } finally {
    contents.privateKey.fill(0);
    file.bytes.fill(0);
  }
}
