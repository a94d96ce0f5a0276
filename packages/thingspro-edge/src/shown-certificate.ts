import type { GatewayCallOptions } from './calls/call.ts';
import { formatAddress } from './connection.ts';
import { cutShort } from './cut-short.ts';
import { openSocket } from './open-socket.ts';
import { checkHost, integer } from './options.ts';
import { createMemoryPins } from './pins.ts';

/** Where to look. */
export interface ShownCertificateOptions extends GatewayCallOptions {
  /** Name or IP address, as for a client. */
  readonly host: string;
  /** 1 to 65535; default 8443. */
  readonly port?: number | undefined;
  /** Time for the handshake, in milliseconds; 1 to 600,000, default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Looks at the certificate a gateway shows, without sending anything: for a plan that prints fingerprints to be
 * compared out of band. Resolves with its SHA-256, 64 hex digits. Rejects with `ERR_TRANSPORT_…` or `ERR_TIMEOUT`.
 */
export async function readShownFingerprint(options: ShownCertificateOptions): Promise<string> {
  const host = checkHost(options.host);
  const port = integer('options.port', options.port ?? 8443, 65_535);
  const timeoutMs = integer('options.timeoutMs', options.timeoutMs ?? 10_000, 600_000);
  const address = formatAddress(host, port);
  let cut: (() => void) | undefined;
  // Nothing is sent, so nothing has to be trusted; the mode only says that TLS must not check the chain.
  const target = { host, port, address, trust: { mode: 'strict', pins: createMemoryPins() } } as const;
  const { socket, fingerprint } = await cutShort(
    () =>
      openSocket(target, (opened) => {
        cut = () => opened.destroy();
      }),
    {
      timeoutMs,
      attempted: `look at the certificate of ${address}`,
      signals: options.signal === undefined ? [] : [options.signal],
      onCut: () => cut?.(),
    },
  );
  socket.destroy();
  return fingerprint;
}
