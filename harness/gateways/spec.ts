import type { GatewayFamily } from '@endorse/thingspro-edge';

/** What is wrong with a simulated gateway, on purpose. */
export const gatewayFaults = [
  /** The account is locked for the time being. */
  'locked',
  /** Somebody claimed it: the factory password does not work. */
  'claimed',
  /** Every session of the account is taken. */
  'session-limit',
  /** It has no TPM. */
  'no-tpm',
  /** Shows its endorsement key only after DPS with TPM was selected. */
  'key-after-selection',
  /** Answers "busy" to the first writes of the DPS settings. */
  'busy',
  /** Refuses every write of the DPS settings. */
  'refuses-writes',
  /** Says yes to a write of the DPS settings and forgets it. */
  'forgets-writes',
  /** Answers requests for its identity with something that is no JSON. */
  'malformed-answers',
  /** Breaks the connection at the first request after sign-in. */
  'drops-connections',
  /** Answers probes, but its API is not there. */
  'unreachable',
  /** Is another device than it announces. */
  'wrong-serial',
  /** Shows the endorsement key of another TPM, so it will never prove its own. */
  'foreign-key',
  /** Its IoT Edge runtime does not start. */
  'never-connects',
] as const;

/** One of {@link gatewayFaults}. */
export type GatewayFault = (typeof gatewayFaults)[number];

/** One simulated gateway, as it leaves the works. */
export interface GatewaySpec {
  /** Serial number that its API tells. */
  readonly serialNumber: string;
  /** Serial number that it announces, which may be spelled differently. */
  readonly announcedSerial: string;
  readonly model: string;
  /** Absent for a foreign device that answers probes and has no gateway's API. */
  readonly family: GatewayFamily | undefined;
  readonly vendor: string;
  /** Loopback address it is at, for example `127.0.40.1`. */
  readonly address: string;
  /** Port of its API; 0 lets the system choose. */
  readonly port: number;
  /** 12 hex digits. */
  readonly mac: string;
  /** Addresses it believes to have. */
  readonly announcedAddresses: readonly string[];
  readonly firmware: string;
  readonly faults: readonly GatewayFault[];
}

/** Who may sign in to a gateway that nobody claimed. */
export const factoryUser = 'admin';

/** The password a gateway has when it leaves the works; of the simulator only. */
export const factoryPassword = 'moxa-factory-1';
