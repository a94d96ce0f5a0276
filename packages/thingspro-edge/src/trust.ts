import { InvalidArgumentError } from '@endorse/interface';
import { CertificatePinError } from './errors.ts';
import { parseCertificate } from './fingerprint.ts';
import type { PinStore } from './pins.ts';

/**
 * How a gateway's certificate comes to be trusted.
 *
 * - `strict`: only certificates that are pinned.
 * - `trust-on-first-use`: as `strict`, but a gateway without a pin is believed once and pinned before anything is
 *   sent. Who controls the network at that moment gets the password: compare fingerprints out of band.
 * - `ca`: certificates that an authority of `ca` (PEM) signed for the address, or for `serverName`.
 */
export type GatewayTrust =
  | { readonly mode: 'strict'; readonly pins: PinStore }
  | { readonly mode: 'trust-on-first-use'; readonly pins: PinStore }
  | {
      readonly mode: 'ca';
      readonly ca: string | readonly string[];
      /** Name that the certificate must be for; default: the address. */
      readonly serverName?: string | undefined;
    };

/** Checks a trust policy before any IO. Throws `ERR_INVALID_ARGUMENT`. */
export function checkTrust(trust: GatewayTrust): GatewayTrust {
  switch (trust?.mode) {
    case 'strict':
    case 'trust-on-first-use':
      if (typeof trust.pins?.get !== 'function' || typeof trust.pins.set !== 'function') {
        throw new InvalidArgumentError('options.trust.pins', 'must be a PinStore');
      }
      return trust;
    case 'ca': {
      const texts = typeof trust.ca === 'string' ? [trust.ca] : trust.ca;
      if (!Array.isArray(texts) || texts.length === 0) {
        throw new InvalidArgumentError('options.trust.ca', 'must hold PEM certificates');
      }
      for (const text of texts as readonly string[]) parseCertificate(text, 'options.trust.ca');
      return trust;
    }
    default:
      throw new InvalidArgumentError('options.trust.mode', 'must be strict, trust-on-first-use or ca');
  }
}

/** A certificate that a gateway showed, and what is expected of it. */
export interface ShownCertificate {
  readonly pinName: string;
  /** `host:port`, for messages. */
  readonly address: string;
  /** 64 hex digits. */
  readonly fingerprint: string;
  /** SHA-256 of its public key (SPKI), 64 hex digits. */
  readonly publicKeyHash: string;
  /** What was said beforehand that the one or the other would be; 64 hex digits. */
  readonly announcedFingerprint: string | undefined;
}

/** Decides whether to go on with a connection whose handshake is done. Rejects with `ERR_PIN_…`; pins a first use. */
export async function requireTrusted(trust: GatewayTrust, shown: ShownCertificate): Promise<void> {
  const { pinName, fingerprint, publicKeyHash, announcedFingerprint } = shown;
  // TLS has checked the chain and the name; an announcement is only a hint, and a certificate may be newer than it.
  if (trust.mode === 'ca') return;
  const pinned = await trust.pins.get(pinName);
  if (pinned.includes(fingerprint)) return;
  if (pinned.length > 0) throw mismatch(shown, `pinned is ${pinned.join(' or ')}`);
  if (trust.mode === 'strict') throw unknownPin(shown);
  if (announcedFingerprint !== undefined && ![fingerprint, publicKeyHash].includes(announcedFingerprint)) {
    throw mismatch(shown, `${announcedFingerprint} was announced for certificate or public key`);
  }
  await trust.pins.set(pinName, [fingerprint]);
}

function unknownPin({ pinName, address, fingerprint }: ShownCertificate): CertificatePinError {
  return new CertificatePinError(
    'ERR_PIN_UNKNOWN',
    `${address} has a certificate with SHA-256 ${fingerprint}, but nothing is pinned for ${pinName}`,
    { pinName, fingerprint },
    {
      remedy: `Compare the fingerprint with the gateway's own display, then add "${pinName} sha256:${fingerprint}" to the pins.`,
    },
  );
}

function mismatch(
  { pinName, address, fingerprint }: ShownCertificate,
  expected: string,
): CertificatePinError {
  return new CertificatePinError(
    'ERR_PIN_MISMATCH',
    `${address} has a certificate with SHA-256 ${fingerprint}, but for ${pinName} ${expected}`,
    { pinName, fingerprint },
    {
      remedy:
        'Find out who answers at this address. Remove the pin only when you know that the certificate was replaced.',
    },
  );
}
