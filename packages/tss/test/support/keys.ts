import {
  TPM2B_PUBLIC_KEY_RSA,
  TPMA_OBJECT,
  TPMS_ECC_PARMS,
  TPMS_ECC_POINT,
  TPMS_NULL_ASYM_SCHEME,
  TPMS_NULL_KDF_SCHEME,
  TPMS_RSA_PARMS,
  TPMS_SENSITIVE_CREATE,
  TPMS_SIG_SCHEME_RSASSA,
  TPMT_PUBLIC,
  TPMT_SYM_DEF_OBJECT,
  TPM_ALG_ID,
  TPM_ECC_CURVE,
  TPM_HANDLE,
} from '@endorse/tss';
import type { CreatePrimaryResponse, Tpm } from '@endorse/tss';

/** No bytes. */
export const noData = Buffer.alloc(0);

const { fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt, sign } =
  TPMA_OBJECT;
const ownAttributes = fixedTPM | fixedParent | sensitiveDataOrigin | userWithAuth | restricted;

/** Makes a P-256 storage key in the owner hierarchy: takes 2 ms, stays loaded. */
export function eccStorageKey(tpm: Tpm, authValue: Buffer = noData): Promise<CreatePrimaryResponse> {
  const { AES, CFB, SHA256 } = TPM_ALG_ID;
  const parameters = new TPMS_ECC_PARMS(
    new TPMT_SYM_DEF_OBJECT(AES, 128, CFB),
    new TPMS_NULL_ASYM_SCHEME(),
    TPM_ECC_CURVE.NIST_P256,
    new TPMS_NULL_KDF_SCHEME(),
  );
  const unique = new TPMS_ECC_POINT(noData, noData);
  const template = new TPMT_PUBLIC(SHA256, ownAttributes | noDA | decrypt, noData, parameters, unique);
  const sensitive = new TPMS_SENSITIVE_CREATE(authValue, noData);
  return tpm.CreatePrimary(TPM_HANDLE.OWNER, sensitive, template, noData, []);
}

/** The template of an RSA-2048 key that signs what the TPM itself made. */
export function attestationKeyTemplate(): TPMT_PUBLIC {
  const { NULL, SHA256 } = TPM_ALG_ID;
  const parameters = new TPMS_RSA_PARMS(
    new TPMT_SYM_DEF_OBJECT(NULL, 0, NULL),
    new TPMS_SIG_SCHEME_RSASSA(SHA256),
    2048,
    0,
  );
  return new TPMT_PUBLIC(SHA256, ownAttributes | sign, noData, parameters, new TPM2B_PUBLIC_KEY_RSA(noData));
}
