/** What the steps reach the world by. Every port is small enough to be written by hand in a test. */
import type { Clock, Logger, RandomSource, RegistrationState } from '@endorse/interface';
import type { AttestationMechanism, IndividualEnrollment } from '@endorse/protocol';
import type { GatewayClient, HttpsCertificate } from '@endorse/thingspro-edge';
import type { Secret } from '@endorse/interface';

/** Where a gateway is, and how its certificate is to be checked. */
export interface GatewayTarget {
  readonly serial: string;
  readonly host: string;
  /** TCP port, 1 to 65,535. */
  readonly port: number;
  readonly basePath: string | undefined;
  /** SHA-256 that discovery or the inventory told; 64 hex digits. */
  readonly announcedFingerprint: string | undefined;
}

/** Makes the client of a gateway; `createGatewayClient` of `@endorse/thingspro-edge` behind a trust policy. */
export type OpenGateway = (target: GatewayTarget) => GatewayClient;

/** The part of an enrollment client that the steps use; `createEnrollmentClient` has it. */
export interface EnrollmentPort {
  readonly enrollments: {
    get(registrationId: string, options: { readonly signal: AbortSignal }): Promise<IndividualEnrollment>;
    create(
      enrollment: IndividualEnrollment,
      options: { readonly signal: AbortSignal },
    ): Promise<IndividualEnrollment>;
    update(
      enrollment: IndividualEnrollment,
      options: { readonly signal: AbortSignal; readonly ifMatch: string },
    ): Promise<IndividualEnrollment>;
    getAttestationMechanism(
      registrationId: string,
      options: { readonly signal: AbortSignal },
    ): Promise<AttestationMechanism>;
  };
  readonly registrations: {
    get(registrationId: string, options: { readonly signal: AbortSignal }): Promise<RegistrationState>;
  };
}

/** Whether a device still answers discovery; the last look after its door was closed. */
export type ProbeDevice = (
  device: { readonly serial: string; readonly host: string },
  options: { readonly signal: AbortSignal },
) => Promise<boolean>;

/** Passwords of single gateways: where they come from, and where generated ones go before they are set. */
export interface PasswordStore {
  /** Newest first: the last one written, and the one before while it is not known which of them the gateway has. */
  get(serial: string): Promise<readonly StoredPassword[]>;
  /** Resolves once it survives a crash. */
  put(serial: string, password: StoredPassword): Promise<void>;
}

/** One password of one gateway. */
export interface StoredPassword {
  readonly name: string;
  readonly password: Secret;
  /** `pending` until the gateway has taken it. */
  readonly state: 'pending' | 'set';
}

/** The certificate a gateway shall get; undefined for one that keeps its own. */
export type FindCertificate = (serial: string) => Promise<HttpsCertificate | undefined>;

/** Everything a run needs of the world. */
export interface ProvisioningPorts {
  readonly openGateway: OpenGateway;
  readonly enrollments: EnrollmentPort;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** Absent: a closed discovery door is only read back. */
  readonly probe?: ProbeDevice | undefined;
  /** Absent: passwords are not rotated. */
  readonly passwords?: PasswordStore | undefined;
  /** Absent: certificates stay as they are. */
  readonly findCertificate?: FindCertificate | undefined;
}
