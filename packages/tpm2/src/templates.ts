import { emptyBytes, fromHex } from './bytes/bytes.ts';
import type { EccPublic, PublicArea, RsaPublic } from './structures/public-area.ts';
import { aes128Cfb } from './structures/symmetric.ts';

/**
 * Which endorsement key to make: `tcg` is RSA-2048 as the certificate's key is made, `ecc` the same on P-256,
 * `azure-legacy` the RSA key that Azure's Node, C and Java SDKs make on a TPM without a persisted EK.
 */
export type EkTemplateName = 'tcg' | 'azure-legacy' | 'ecc';

/** PolicySecret(TPM_RH_ENDORSEMENT) with SHA-256: PolicyA of the TCG EK Credential Profile. */
export const ekAuthPolicySha256: Uint8Array = fromHex(
  '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa',
);

// fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt.
const ekAttributes = 0x0003_00b2;
// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt.
const srkAttributes = 0x0003_0472;

/** EK template L-1 of the TCG EK Credential Profile (B.3.3): RSA-2048, 256 zero bytes as `unique`. */
export const ekTemplateRsa2048: RsaPublic = rsaTemplate(ekAttributes, ekAuthPolicySha256, 256);

/**
 * The RSA-2048 EK template of Azure's Node, C and Java SDKs: L-1 with an empty `unique`.
 * `unique` is an input of the key derivation, so this is another key than the one in the TPM's certificate.
 */
export const ekTemplateRsa2048AzureLegacy: RsaPublic = rsaTemplate(ekAttributes, ekAuthPolicySha256, 0);

/** EK template L-2 of the TCG EK Credential Profile (B.3.4): ECC P-256, two times 32 zero bytes as `unique`. */
export const ekTemplateEccP256: EccPublic = eccTemplate(ekAttributes, ekAuthPolicySha256);

/** RSA-2048 storage root key of the TCG TPM v2.0 Provisioning Guidance: 256 zero bytes as `unique`. */
export const srkTemplateRsa2048: RsaPublic = rsaTemplate(srkAttributes, emptyBytes, 256);

/** The RSA-2048 SRK template of Azure's Node, C and Java SDKs: an empty `unique`. */
export const srkTemplateRsa2048AzureLegacy: RsaPublic = rsaTemplate(srkAttributes, emptyBytes, 0);

/** ECC P-256 storage root key of the TCG TPM v2.0 Provisioning Guidance. */
export const srkTemplateEccP256: EccPublic = eccTemplate(srkAttributes, emptyBytes);

/** EK and SRK templates that belong together. */
export interface TemplatePair {
  readonly endorsementKey: PublicArea;
  readonly storageRootKey: PublicArea;
}

/** The templates by name. */
export const templates: Readonly<Record<EkTemplateName, TemplatePair>> = Object.freeze({
  tcg: Object.freeze({ endorsementKey: ekTemplateRsa2048, storageRootKey: srkTemplateRsa2048 }),
  'azure-legacy': Object.freeze({
    endorsementKey: ekTemplateRsa2048AzureLegacy,
    storageRootKey: srkTemplateRsa2048AzureLegacy,
  }),
  ecc: Object.freeze({ endorsementKey: ekTemplateEccP256, storageRootKey: srkTemplateEccP256 }),
});

function rsaTemplate(objectAttributes: number, authPolicy: Uint8Array, uniqueSize: number): RsaPublic {
  return Object.freeze({
    type: 'rsa',
    nameAlg: 'sha256',
    objectAttributes,
    authPolicy,
    symmetric: aes128Cfb,
    scheme: null,
    keyBits: 2048,
    exponent: 0,
    unique: new Uint8Array(uniqueSize),
  });
}

function eccTemplate(objectAttributes: number, authPolicy: Uint8Array): EccPublic {
  return Object.freeze({
    type: 'ecc',
    nameAlg: 'sha256',
    objectAttributes,
    authPolicy,
    symmetric: aes128Cfb,
    scheme: null,
    curveId: 'nistP256',
    kdf: null,
    unique: Object.freeze({ x: new Uint8Array(32), y: new Uint8Array(32) }),
  });
}
