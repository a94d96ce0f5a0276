import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/**
 * Gives the DER of the certificates a TLS client sent, its own first; empty when it sent none. TLS has checked that
 * the client has the key of the first, nothing else.
 */
export type ReadClientCertificates = (socket: TLSSocket) => readonly Uint8Array[];

/**
 * Makes a reader for one server. A resumed session knows the client's own certificate, but not those that came with
 * it in the first handshake, so the reader remembers them: they are no secret, and whoever uses them checks them anyway.
 */
export function createClientCertificateReader(): ReadClientCertificates {
  // A kept connection carries many requests, and walking the chain takes longer than most of them.
  const bySocket = new WeakMap<TLSSocket, readonly Uint8Array[]>();
  const byOwn = new Map<string, readonly Uint8Array[]>();
  let bytes = 0;

  return (socket) => {
    const known = bySocket.get(socket);
    if (known !== undefined) return known;
    const { certificates, own } = readChain(socket);
    const remembered = socket.isSessionReused() ? byOwn.get(own) : undefined;
    if (remembered === undefined && certificates.length > 1) remember(own, certificates);
    bySocket.set(socket, remembered ?? certificates);
    return remembered ?? certificates;
  };

  function remember(own: string, certificates: readonly Uint8Array[]): void {
    forget(own);
    byOwn.set(own, certificates);
    bytes += sizeOf(certificates);
    for (const oldest of byOwn.keys()) {
      if (bytes <= maxRememberedBytes) return;
      forget(oldest);
    }
  }

  function forget(own: string): void {
    bytes -= sizeOf(byOwn.get(own) ?? []);
    byOwn.delete(own);
  }
}

function readChain(socket: TLSSocket): {
  readonly certificates: readonly Uint8Array[];
  /** Fingerprint of the client's own; empty without one. */
  readonly own: string;
} {
  const certificates: Uint8Array[] = [];
  const seen = new Set<string>();
  // A client without a certificate gives an object without members.
  let next = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate> | undefined;
  const own = next?.fingerprint256 ?? '';
  while (next?.raw !== undefined && certificates.length < maxCertificates) {
    const { raw, fingerprint256 = '' } = next;
    // A self-signed certificate is its own issuer here.
    if (seen.has(fingerprint256)) break;
    seen.add(fingerprint256);
    certificates.push(Uint8Array.from(raw));
    next = next.issuerCertificate;
  }
  return { certificates, own };
}

function sizeOf(certificates: readonly Uint8Array[]): number {
  return certificates.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Chains in the field have two to four certificates. */
const maxCertificates = 10;

/** Room for some ten thousand chains. A device whose chain was pushed out has to make a full handshake. */
const maxRememberedBytes = 16_777_216;
