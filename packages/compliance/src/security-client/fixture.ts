import type {
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  TpmSecurityClient,
  X509SecurityClient,
} from '@endorse/interface';

/** What an activation blob is made for. */
export interface ActivationRequest {
  /** TPM2B_PUBLIC of the endorsement key that has to be there to open it. */
  readonly endorsementKey: Uint8Array;
  /** TPM2B_PUBLIC of the storage root key that has to be there to open it. */
  readonly storageRootKey: Uint8Array;
  /** The HMAC key to wrap, 32 bytes. */
  readonly key: Uint8Array;
}

/** Makes activation blobs as the provisioning service does: six TPM2B structures in a row. */
export type MakeActivationBlob = (request: ActivationRequest) => Uint8Array | Promise<Uint8Array>;

/** What a security client is tested with; disposing of it stops everything. */
export type SecurityClientFixture = AsyncDisposable & {
  /** The registration id the client was given; absent when it has to derive it. */
  readonly registrationId?: string;
} & (
    | {
        readonly kind: 'tpm';
        /** On a TPM that holds no identity key yet. */
        readonly securityClient: TpmSecurityClient;
        /** The service's part. */
        readonly makeActivationBlob: MakeActivationBlob;
      }
    | {
        readonly kind: 'symmetric-key';
        readonly securityClient: SymmetricKeySecurityClient;
        /** The key the client was given, to compute what it has to answer. */
        readonly key: Uint8Array;
      }
    | {
        readonly kind: 'token-issuer';
        readonly securityClient: TokenIssuingSecurityClient;
        /** The registration its tokens are for. */
        readonly registrationId: string;
        /** The key the tokens are signed with, to verify them. */
        readonly key: Uint8Array;
      }
    | { readonly kind: 'x509'; readonly securityClient: X509SecurityClient }
  );

/** Makes a fresh fixture; called once for every test. */
export type SecurityClientSetup = () => Promise<SecurityClientFixture>;

/** The fixture of a TPM. */
export type TpmFixture = Extract<SecurityClientFixture, { kind: 'tpm' }>;

/** The fixture of an issuer of tokens. */
export type TokenIssuerFixture = Extract<SecurityClientFixture, { kind: 'token-issuer' }>;
