/** Persistent handles of the ceremony, where the official SDKs look for them. */
export const handles = {
  /** Endorsement key (TCG EK Credential Profile). */
  endorsementKey: 0x8101_0001,
  /** Storage root key (TCG provisioning guidance). */
  storageRootKey: 0x8100_0001,
  /** Identity key of the provisioning service. */
  identityKey: 0x8100_0100,
  /** Second slot for the identity key, so that replacing it never loses the working one. */
  identityKeyAlternate: 0x8100_0101,
} as const;

/** Permanent handles: hierarchies and the password session (Part 2, 7.4 TPM_RH). */
export const rh = {
  owner: 0x4000_0001,
  null: 0x4000_0007,
  pw: 0x4000_0009,
  lockout: 0x4000_000a,
  endorsement: 0x4000_000b,
  platform: 0x4000_000c,
  platformNv: 0x4000_000d,
} as const;

/** NV indices of endorsement key certificates and their templates (TCG EK Credential Profile, 2.2.1.4 and 2.2.1.5). */
export const nvIndices = {
  ekCertificateRsa2048: 0x01c0_0002,
  ekNonceRsa2048: 0x01c0_0003,
  ekTemplateRsa2048: 0x01c0_0004,
  ekCertificateEccP256: 0x01c0_000a,
  ekNonceEccP256: 0x01c0_000b,
  ekTemplateEccP256: 0x01c0_000c,
  ekCertificateRsa2048High: 0x01c0_0012,
  ekCertificateEccP256High: 0x01c0_0014,
  ekCertificateEccP384High: 0x01c0_0016,
  ekCertificateEccP521High: 0x01c0_0018,
  ekCertificateSm2P256High: 0x01c0_001a,
  ekCertificateRsa3072High: 0x01c0_001c,
  ekCertificateRsa4096High: 0x01c0_001e,
} as const;

/** What a handle stands for, by its most significant byte (Part 2, 7.2 TPM_HT). */
export type HandleKind =
  | 'pcr'
  | 'nv'
  | 'hmacSession'
  | 'policySession'
  | 'permanent'
  | 'transient'
  | 'persistent'
  | 'attached'
  | 'other';

/** Tells what a handle stands for. */
export function handleKind(handle: number): HandleKind {
  switch (handle >>> 24) {
    case 0x00:
      return 'pcr';
    case 0x01:
      return 'nv';
    case 0x02:
      return 'hmacSession';
    case 0x03:
      return 'policySession';
    case 0x40:
      return 'permanent';
    case 0x80:
      return 'transient';
    case 0x81:
      return 'persistent';
    case 0x90:
      return 'attached';
    default:
      return 'other';
  }
}
