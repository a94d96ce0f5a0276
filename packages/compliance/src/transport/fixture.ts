import type {
  AttestationKind,
  RegistrationTarget,
  SymmetricKeySecurityClient,
  TpmSecurityClient,
  Transport,
  X509SecurityClient,
} from '@endorse/interface';
import type { SilentHost } from './silent-host.ts';

/** A device that the fixture's peer knows, with the identity that proves it. */
export type DeviceFixture = {
  /** Where and as what the device registers. */
  readonly target: RegistrationTarget;
} & (
  | { readonly kind: 'tpm'; readonly securityClient: TpmSecurityClient }
  | { readonly kind: 'symmetric-key'; readonly securityClient: SymmetricKeySecurityClient }
  | { readonly kind: 'x509'; readonly securityClient: X509SecurityClient }
);

/** What a transport is tested with. The fixture brings its own peer; disposing of it stops everything. */
export interface TransportFixture extends AsyncDisposable {
  /** The transport under test. */
  readonly transport: Transport;
  /** An enrolled device for each attestation of the transport's manifest. */
  readonly devices: Readonly<Partial<Record<AttestationKind, DeviceFixture>>>;
  /**
   * Hosts on which a request stays in flight, one for each stage that can hang: the connection, the handshake, the
   * answer. At least one; `startSilentHost` makes the first kind.
   */
  readonly silentHosts: readonly SilentHost[];
  /** `host:port` that refuses connections. */
  readonly refusingHost: string;
}

/** Makes a fresh fixture; called once for every test. */
export type TransportSetup = () => Promise<TransportFixture>;

/** A request of a session. */
export type SessionRequest = 'getAuthenticationChallenge' | 'register' | 'queryOperationStatus';

/** What a transport is tested with when connections drop. The peer has to be one that can drop them. */
export interface DroppingFixture extends Pick<TransportFixture, 'transport' | 'devices'>, AsyncDisposable {
  /**
   * Makes the peer end the connection of the next such request, without answering it: before it has carried it out, or
   * after. It serves every later request.
   */
  readonly dropNext: (request: SessionRequest, when: 'before-handling' | 'after-handling') => void;
}

/** Makes a fresh fixture; called once for every test. */
export type DroppingSetup = () => Promise<DroppingFixture>;
