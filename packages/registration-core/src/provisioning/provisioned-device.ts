import type { AttestationKind, JsonValue, RegistrationSubstatus } from '@endorse/interface';

/** An assignment, as it is kept between boots. Holds no secret: the key is in the TPM or with the security client. */
export interface Assignment {
  /** Host and port it was registered with. */
  readonly provisioningHost: string;
  readonly idScope: string;
  readonly attestation: AttestationKind;
  readonly registrationId: string;
  /** Host name of the hub; with a port when the hub listens on another than the default. */
  readonly assignedHub: string;
  readonly deviceId: string;
  readonly operationId: string;
  readonly substatus?: RegistrationSubstatus;
  /** What a custom allocation function returned for the device. */
  readonly payload?: JsonValue;
  /** When this device learnt of it, milliseconds since 1970, by its own clock. */
  readonly assignedAt: number;
}

/**
 * Why a device registered: there was no stored assignment (`absent`), it could not be understood (`corrupt`), it
 * belongs to another service, scope or identity (`foreign`), the hub refused it (`refused`), or the caller
 * said so (`forced`).
 */
export type RegistrationReason = 'absent' | 'corrupt' | 'foreign' | 'refused' | 'forced';

/** A device that has a hub: from its store, or freshly registered. */
export type ProvisionedDevice = Assignment &
  ({ readonly source: 'stored' } | { readonly source: 'registered'; readonly reason: RegistrationReason });
