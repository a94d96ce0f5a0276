import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { FormData } from 'undici';
import type { Secret } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { GatewayRequest } from '../connection.ts';
import { GatewayError } from '../errors.ts';
import { fingerprintOf, parseCertificate } from '../fingerprint.ts';
import type { GatewayProfile } from '../profile.ts';
import type { GatewayCallOptions, GatewayCaller } from './call.ts';

/** A password to set. */
export interface PasswordChange {
  readonly newPassword: Secret;
  /** Needed by users who are no administrators; default: the one signed in with. */
  readonly oldPassword?: Secret | undefined;
}

/** A certificate for the gateway's HTTPS server. */
export interface HttpsCertificate {
  /** PEM; a chain is handed over as it is. */
  readonly certificatePem: string;
  /** PEM of the private key, not encrypted. */
  readonly privateKeyPem: Secret;
}

/** What the credentials of a gateway can be changed to. */
export interface CredentialCalls {
  /**
   * Changes the password of the user who is signed in; the session goes on. The new one has 8 to 255 characters.
   * Rejects with `ERR_GATEWAY_REFUSED` when it breaks the gateway's policy.
   */
  changePassword(change: PasswordChange, options?: GatewayCallOptions): Promise<void>;
  /**
   * Replaces the certificate of the HTTPS server, pins the new one and goes on over a connection that shows it.
   * Resolves with its fingerprint. Between the two the pins hold both, so that a crash locks nobody out.
   * Throws `ERR_INVALID_ARGUMENT` before any IO when key and certificate do not belong together or are too weak.
   */
  replaceHttpsCertificate(certificate: HttpsCertificate, options?: GatewayCallOptions): Promise<string>;
}

/** What the calls need from their session. */
export interface CredentialContext extends GatewayCaller {
  readonly profile: GatewayProfile;
  /** The password that was signed in with. */
  currentPassword(): Secret;
  /** Uses another password for signing in again. */
  usePassword(password: Secret): void;
  /** Trusts the new certificate beside the old one, runs `handOver`, and waits until it is shown. */
  exchangeCertificate(
    fingerprint: string,
    handOver: () => Promise<void>,
    options: GatewayCallOptions,
  ): Promise<void>;
}

/** Implements {@link CredentialCalls}. */
export function createCredentialCalls(context: CredentialContext): CredentialCalls {
  const { call, profile, currentPassword, usePassword, exchangeCertificate } = context;
  return {
    changePassword: async ({ newPassword, oldPassword }, options = {}) => {
      const fresh = requirePassword('change.newPassword', newPassword);
      const old = oldPassword ?? currentPassword();
      const body = { newPassword: fresh, oldPassword: old.revealText() };
      const secrets = [newPassword, old];
      try {
        await call(
          'change the password',
          { method: 'PUT', path: '/users/me/password', body, secrets },
          options,
        );
      } catch (error) {
        // The session had just been renewed: what is refused is the old password.
        if (!(error instanceof GatewayError) || error.code !== 'ERR_GATEWAY_SESSION_EXPIRED') throw error;
        throw new GatewayError(
          'ERR_GATEWAY_REFUSED',
          'change the password: the gateway does not take the old password',
          { status: error.status },
          { cause: error, remedy: 'Give the password that is in use.' },
        );
      }
      usePassword(newPassword);
    },
    replaceHttpsCertificate: async (certificate, options = {}) => {
      const fingerprint = checkCertificate(certificate);
      await exchangeCertificate(
        fingerprint,
        async () => {
          await call('replace the certificate', uploadRequest(certificate, profile), options);
        },
        options,
      );
      return fingerprint;
    },
  };
}

function uploadRequest(
  { certificatePem, privateKeyPem }: HttpsCertificate,
  profile: GatewayProfile,
): GatewayRequest {
  const request = {
    method: 'PATCH',
    path: '/system/httpserver',
    secrets: [privateKeyPem],
  } as const;
  const key = privateKeyPem.revealText();
  if (profile.certificateUpload === 'json') {
    const names = { certFilename: 'endorse.crt', keyFilename: 'endorse.key' };
    return { ...request, body: { ...names, cert: certificatePem, key } };
  }
  const form = new FormData();
  form.append('certFile', new Blob([certificatePem]), 'endorse.crt');
  form.append('keyFile', new Blob([key]), 'endorse.key');
  return { ...request, body: form };
}

function requirePassword(argument: string, password: Secret): string {
  const text = typeof password?.revealText === 'function' ? password.revealText() : '';
  if (/^[\x21-\x7e]{8,255}$/.test(text)) return text;
  throw new InvalidArgumentError(
    argument,
    'must be a Secret of 8 to 255 printable ASCII characters without blanks',
  );
}

/** Checks that the gateway can use it and we can pin it; returns its fingerprint. */
function checkCertificate({ certificatePem, privateKeyPem }: HttpsCertificate): string {
  const certificate = parseCertificate(certificatePem, 'certificate.certificatePem');
  let key: KeyObject;
  try {
    key = createPrivateKey(privateKeyPem.revealText());
  } catch {
    throw new InvalidArgumentError(
      'certificate.privateKeyPem',
      'must be a PEM private key without a passphrase',
    );
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new InvalidArgumentError('certificate.privateKeyPem', 'must belong to the certificate');
  }
  const { modulusLength = 2048 } = key.asymmetricKeyDetails ?? {};
  if (!['rsa', 'ec'].includes(key.asymmetricKeyType ?? '') || modulusLength < 2048) {
    throw new InvalidArgumentError('certificate', 'must have an RSA key of 2,048 bits or more, or an EC key');
  }
  return fingerprintOf(certificate);
}
