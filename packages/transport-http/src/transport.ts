import type {
  RegistrationTarget,
  SessionAttestation,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { InvalidArgumentError, attestationKinds } from '@endorse/interface';
import { formatHostPort } from '@endorse/protocol';
import type { SessionTarget } from '@endorse/transport-socket';
import { checkAttestation, checkClientCertificate, checkTarget } from '@endorse/transport-socket';
import type { Connection } from './connection.ts';
import { borrowConnection, createConnection, ownConnection } from './connection.ts';
import type { HttpSettings, HttpTransportOptions } from './options.ts';
import { checkOptions } from './options.ts';
import { HttpSession } from './session.ts';

/**
 * Makes the HTTPS transport. Stateless: one instance serves any number of registrations at once.
 *
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option. undici is loaded at the first request.
 */
export function createHttpTransport(options: HttpTransportOptions = {}): Transport {
  const settings = checkOptions(options);
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities,
    openSession: (target: RegistrationTarget, attestation: SessionAttestation) => {
      const checked = checkTarget(target, 443);
      const kind = checkAttestation('HTTP', attestationKinds, attestation);
      const origin = `https://${formatHostPort(checked, { defaultPort: 443 })}`;
      return new HttpSession({
        target: checked.target,
        origin,
        attestation: kind,
        settings,
        connection: connectionFor(settings, checked, origin, attestation),
      });
    },
  } satisfies Transport);
}

const capabilities: TransportCapabilities = Object.freeze({
  carrier: 'http',
  attestations: attestationKinds,
  refusals: Object.freeze({}),
  challenge: 'request',
  proxy: true,
});

function connectionFor(
  settings: HttpSettings,
  { host, port }: SessionTarget,
  origin: string,
  attestation: SessionAttestation,
): Connection {
  const certificate =
    attestation.kind === 'x509' ? checkClientCertificate(attestation.certificate) : undefined;
  const { dispatcher, ca, proxyCa, maxHeaderBytes } = settings;
  if (typeof dispatcher === 'function') {
    return ownConnection(() =>
      dispatcher({ origin, certificate: attestation.kind === 'x509' ? attestation.certificate : undefined }),
    );
  }
  if (dispatcher !== undefined) {
    if (certificate === undefined) return borrowConnection(dispatcher);
    // Its connections may be shared with other devices: the certificate would have to be in it already.
    throw new InvalidArgumentError(
      'options.dispatcher',
      'must be a function for X.509, which is given the certificate of the session',
    );
  }
  const proxy = settings.proxyFor(host, port);
  return createConnection(
    origin,
    { host, port, proxy, ca, proxyCa, clientCertificate: certificate, alpnProtocols: ['http/1.1'] },
    { maxHeaderBytes },
  );
}
