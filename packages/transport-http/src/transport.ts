import type {
  RegistrationTarget,
  SessionAttestation,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { InvalidArgumentError, UnsupportedCapabilityError, attestationKinds } from '@endorse/interface';
import { formatHostPort, parseHostPort, validateIdScope, validateRegistrationId } from '@endorse/protocol';
import { checkCertificate } from './client-certificate.ts';
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
      const checked = checkTarget(target);
      checkKind(attestation);
      return new HttpSession({
        target: checked.target,
        origin: checked.origin,
        attestation: attestation.kind,
        settings,
        connection: connectionFor(settings, checked, attestation),
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

interface CheckedTarget {
  readonly target: RegistrationTarget;
  readonly host: string;
  readonly port: number;
  readonly origin: string;
}

function checkTarget(target: RegistrationTarget): CheckedTarget {
  if (target === null || typeof target !== 'object')
    throw new InvalidArgumentError('target', 'must be an object');
  const { provisioningHost, idScope, registrationId } = target;
  const { host, port } = parseHostPort(provisioningHost, { argument: 'target.provisioningHost' });
  validateIdScope(idScope, 'target.idScope');
  validateRegistrationId(registrationId, 'target.registrationId');
  return {
    target: Object.freeze({ provisioningHost, idScope, registrationId }),
    host,
    port,
    origin: `https://${formatHostPort({ host, port }, { defaultPort: 443 })}`,
  };
}

function checkKind(attestation: SessionAttestation): void {
  const kind: unknown = attestation?.kind;
  if (attestationKinds.some((known) => known === kind)) return;
  if (typeof kind !== 'string') throw new InvalidArgumentError('attestation', 'must have a kind');
  throw new UnsupportedCapabilityError(`HTTP does not carry the attestation "${kind.slice(0, 40)}"`, {
    required: kind,
    available: attestationKinds,
  });
}

function connectionFor(
  settings: HttpSettings,
  { host, port, origin }: CheckedTarget,
  attestation: SessionAttestation,
): Connection {
  const certificate = attestation.kind === 'x509' ? checkCertificate(attestation.certificate) : undefined;
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
    { host, port, proxy, ca, proxyCa, clientCertificate: certificate },
    { maxHeaderBytes },
  );
}
