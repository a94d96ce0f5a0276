/** JSON as the service's bodies may hold it. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** Whom to register with, as what. */
export interface RegistrationTarget {
  /** Host of the service, optionally with a port: `global.azure-devices-provisioning.net`, `localhost:8443`, `[::1]:8443`. */
  readonly provisioningHost: string;
  /** The ID scope of the service instance, for example `0ne000A247E`. */
  readonly idScope: string;
  /** The registration id, 1 to 128 characters. */
  readonly registrationId: string;
}

/** The service's status words. */
export type RegistrationStatus = 'unassigned' | 'assigning' | 'assigned' | 'failed' | 'disabled';

/** How an assignment came about, in the service's words. Unknown words are passed on. */
export type RegistrationSubstatus =
  | 'initialAssignment'
  | 'deviceDataMigrated'
  | 'deviceDataReset'
  | 'reprovisionedToInitialAssignment'
  | (string & {});

/** `registrationState` of the service, decoded. Fields the service adds later are in `extra`. */
export interface RegistrationState {
  readonly registrationId?: string;
  readonly status?: RegistrationStatus;
  readonly substatus?: RegistrationSubstatus;
  readonly assignedHub?: string;
  readonly deviceId?: string;
  readonly createdDateTimeUtc?: string;
  readonly lastUpdatedDateTimeUtc?: string;
  readonly etag?: string;
  /** The service's own code of why it failed, for example 400209. */
  readonly errorCode?: number;
  readonly errorMessage?: string;
  /** What a custom allocation function returned for the device. */
  readonly payload?: JsonValue;
  /** TPM only: the activation blob that holds the hub key, wrapped for this TPM. */
  readonly tpm?: { readonly authenticationKey: Uint8Array };
  readonly x509?: JsonObject;
  readonly symmetricKey?: JsonObject;
  /** Fields of the service that this version does not know. */
  readonly extra?: JsonObject;
}

/** The body of a register or status answer, decoded. */
export interface RegistrationOperationStatus {
  /** Empty for a disabled enrollment. */
  readonly operationId: string;
  readonly status: RegistrationStatus;
  readonly registrationState?: RegistrationState;
}

/** Result of a registration that ended in `assigned`; the same shape for every attestation. */
export interface RegistrationResult {
  readonly status: 'assigned';
  readonly substatus?: RegistrationSubstatus;
  readonly registrationId: string;
  readonly operationId: string;
  /** Host name of the assigned hub; with a port when the hub listens on another than the default. */
  readonly assignedHub: string;
  readonly deviceId: string;
  /** What a custom allocation function returned for the device. */
  readonly payload?: JsonValue;
  /** The whole state, for fields not repeated here. */
  readonly registrationState: RegistrationState;
}
