import { InvalidArgumentError } from '@endorse/interface';
import { handles, rh, templates } from '@endorse/tpm2';
import type { EkTemplateName, PublicArea } from '@endorse/tpm2';

/** Where a key belongs and how it is made. */
export interface KeyPlan {
  /** For messages: `endorsement key`. */
  readonly title: string;
  /** Its persistent handle. */
  readonly handle: number;
  /** Its hierarchy. */
  readonly hierarchy: number;
  readonly template: PublicArea;
}

/** Which keys a client uses, and where they are. */
export interface KeyOptions {
  /**
   * How the endorsement key is made when there is none: `tcg` (default) is the key of the TPM's certificate,
   * `azure-legacy` the one Azure's Node, C and Java SDKs make, `ecc` the P-256 key.
   */
  readonly ekTemplate?: EkTemplateName | undefined;
  /** The same for the storage root key; default as `ekTemplate`. */
  readonly srkTemplate?: EkTemplateName | undefined;
  /** Default 0x81010001, for `ecc` 0x81010002 (TCG provisioning guidance, 7.8). */
  readonly endorsementKeyHandle?: number | undefined;
  /** Default 0x81000001, for `ecc` 0x81000002. systemd keeps an ECC key at 0x81000001. */
  readonly storageRootKeyHandle?: number | undefined;
}

/** Both keys of {@link KeyOptions}. */
export interface KeyPlans {
  readonly endorsementKey: KeyPlan;
  readonly storageRootKey: KeyPlan;
}

/** Handles of the P-256 keys, beside those of the RSA keys. */
const eccEndorsementKey = 0x8101_0002;
const eccStorageRootKey = 0x8100_0002;

/** Fills in the defaults. Throws `ERR_INVALID_ARGUMENT` for unknown templates and handles that are not persistent. */
export function planKeys(options: KeyOptions): KeyPlans {
  const { ekTemplate = 'tcg' } = options;
  const { srkTemplate = ekTemplate } = options;
  for (const [argument, name] of Object.entries({ ekTemplate, srkTemplate })) {
    if (!Object.hasOwn(templates, name)) {
      throw new InvalidArgumentError(`options.${argument}`, "must be 'tcg', 'azure-legacy' or 'ecc'");
    }
  }
  return {
    endorsementKey: {
      title: 'endorsement key',
      handle: checkPersistentHandle(
        'options.endorsementKeyHandle',
        options.endorsementKeyHandle ?? (ekTemplate === 'ecc' ? eccEndorsementKey : handles.endorsementKey),
      ),
      hierarchy: rh.endorsement,
      template: templates[ekTemplate].endorsementKey,
    },
    storageRootKey: {
      title: 'storage root key',
      handle: checkPersistentHandle(
        'options.storageRootKeyHandle',
        options.storageRootKeyHandle ?? (srkTemplate === 'ecc' ? eccStorageRootKey : handles.storageRootKey),
      ),
      hierarchy: rh.owner,
      template: templates[srkTemplate].storageRootKey,
    },
  };
}

/** The owner may use 0x81000000 to 0x817FFFFF; the rest is the platform's. */
function checkPersistentHandle(argument: string, handle: number): number {
  if (Number.isInteger(handle) && handle >= 0x8100_0000 && handle <= 0x817f_ffff) return handle;
  throw new InvalidArgumentError(argument, 'must be from 0x81000000 to 0x817fffff', 'ERR_OUT_OF_RANGE');
}
