import { InvalidArgumentError, LocalProtocolError, Secret } from '@endorse/interface';
import type { ClientCertificate, Clock, SecurityClientOptions, X509SecurityClient } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { parseCertificates } from './chain.ts';
import type { X509Identity } from './identity.ts';
import { assembleIdentity, checkDates } from './identity.ts';
import { checkClock, checkPassphrase, checkPem, checkRegistrationId, revealPem } from './options.ts';
import { readPrivateKey } from './private-key.ts';

/** Options of {@link createX509SecurityClient}. */
export interface X509SecurityClientOptions {
  /** PEM of the device's certificate; its issuers may stand there too, in any order. At most 1 MiB. */
  readonly certificatePem: string;
  /** PEM of the private key. As a string it stays in memory until it is collected. */
  readonly privateKeyPem: Secret | string;
  /** PEM of issuers, in any order; default none beside those in `certificatePem`. */
  readonly chainPem?: string | undefined;
  /** Passphrase of an encrypted private key. */
  readonly passphrase?: Secret | undefined;
  /** What the common name has to be; default whatever it is. */
  readonly registrationId?: string | undefined;
  /** Tells whether the certificates are valid now; default the system's. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

/** An {@link X509SecurityClient} that is closed by its owner. */
export interface X509SecurityClientHandle extends X509SecurityClient, AsyncDisposable {
  /**
   * The certificate chain, leaf first, with its private key as unencrypted PKCS#8. The secret in it
   * belongs to the client: it is overwritten by `close()`. Checks the dates again, so that it rejects
   * with `ERR_X509_EXPIRED` or `ERR_X509_NOT_YET_VALID` when they have passed since.
   */
  getCertificate(options?: SecurityClientOptions): Promise<ClientCertificate>;
  /**
   * Overwrites the private key with zeros, also in certificates already given out; harmless when
   * repeated, never rejects. Calls made later reject with `ERR_SESSION_CLOSED`.
   */
  close(): Promise<void>;
}

/**
 * Makes the security client of a certificate. Does no IO; the given secrets stay their owner's.
 *
 * Throws `ERR_INVALID_ARGUMENT` for options of the wrong kind, else {@link X509IdentityError}:
 * `ERR_X509_NOT_PEM`, `ERR_X509_NO_CERTIFICATE`, `ERR_X509_CERTIFICATE_MALFORMED`,
 * `ERR_X509_NO_PRIVATE_KEY`, `ERR_X509_PRIVATE_KEY_MALFORMED`, `ERR_X509_PASSPHRASE_REQUIRED`,
 * `ERR_X509_PASSPHRASE_WRONG`, `ERR_X509_KEY_MISMATCH`, `ERR_X509_CHAIN`, `ERR_X509_COMMON_NAME`,
 * `ERR_X509_REGISTRATION_ID`, `ERR_X509_EXPIRED`, `ERR_X509_NOT_YET_VALID`.
 */
export function createX509SecurityClient(options: X509SecurityClientOptions): X509SecurityClientHandle {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const certificatePem = checkPem(options.certificatePem, 'options.certificatePem');
  const privateKeyPem = revealPem(options.privateKeyPem, 'options.privateKeyPem');
  const chainPem =
    options.chainPem === undefined ? undefined : checkPem(options.chainPem, 'options.chainPem');
  const passphrase = checkPassphrase(options.passphrase);
  const registrationId = checkRegistrationId(options.registrationId);
  const clock = checkClock(options.clock);
  const candidates = [
    ...parseCertificates(certificatePem, 'certificatePem'),
    ...(chainPem === undefined ? [] : parseCertificates(chainPem, 'chainPem')),
  ];
  const { key } = readPrivateKey(privateKeyPem, passphrase, 'privateKeyPem');
  return createClientOf(assembleIdentity(candidates, key, registrationId), clock);
}

/** Makes the client of an identity whose dates are right. Throws `ERR_X509_EXPIRED` or `ERR_X509_NOT_YET_VALID`. */
export function createClientOf(
  identity: X509Identity,
  clock: Pick<Clock, 'now'> = systemClock,
): X509SecurityClientHandle {
  checkDates(identity.chain, clock.now());
  return new CertificateClient(identity, clock);
}

class CertificateClient implements X509SecurityClientHandle {
  readonly specificationVersion = 'v1';
  readonly kind = 'x509';
  readonly #registrationId: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #certificate: ClientCertificate;
  readonly #chain: X509Identity['chain'];
  #closed = false;

  constructor({ registrationId, chain, key }: X509Identity, clock: Pick<Clock, 'now'>) {
    this.#registrationId = registrationId;
    this.#clock = clock;
    this.#chain = chain;
    this.#certificate = Object.freeze({
      certificatePem: chain.map((certificate) => certificate.toString()).join(''),
      privateKeyPem: Secret.fromText(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    });
  }

  async getRegistrationId(options: SecurityClientOptions = {}): Promise<string> {
    this.#checkOpen(options);
    return this.#registrationId;
  }

  async getCertificate(options: SecurityClientOptions = {}): Promise<ClientCertificate> {
    this.#checkOpen(options);
    checkDates(this.#chain, this.#clock.now());
    return this.#certificate;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#certificate.privateKeyPem.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen({ signal }: SecurityClientOptions): void {
    signal?.throwIfAborted();
    if (this.#closed) {
      throw new LocalProtocolError('ERR_SESSION_CLOSED', 'the security client is closed', {
        state: 'closed',
      });
    }
  }
}
