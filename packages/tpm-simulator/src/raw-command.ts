/**
 * The few TPM 2.0 commands a simulator needs before anyone connects, as bytes.
 *
 * This package may not import the codec of `@endorse/tpm2` (that one is tested against
 * simulators started here), so it spells out exactly what it sends. Section numbers are
 * those of the TCG TPM 2.0 Library, Part 3, unless another part is named.
 */

const tagNoSessions = 0x8001;
const tagSessions = 0x8002;
const headerBytes = 10;

/** Hierarchies and persistent handles (Part 2, 7.4; TCG Provisioning Guidance 7.8). */
export const handle = {
  owner: 0x4000_0001,
  endorsement: 0x4000_000b,
  storageRootKey: 0x8100_0001,
  endorsementKey: 0x8101_0001,
} as const;

/** An authorisation area of one password session with the empty password (Part 1, 19.4). */
const emptyPassword = Buffer.from('00000009' + '40000009' + '0000' + '00' + '0000', 'hex');

/** TPM2_GetRandom (16.1) of one byte: answered by a TPM that is started, refused by any other. */
export const getRandomByte: Uint8Array = command(0x17b, [u16(1)]);

/** TPM2_Shutdown(CLEAR) (9.4): an orderly power-down, so that the TPM counts no dictionary attack. */
export const shutdownClear: Uint8Array = command(0x145, [u16(0)]);

/** TPM2_GetCapability (30.2) of up to 254 handles from `first` on. */
export function getHandles(first: number): Uint8Array {
  return command(0x17a, [u32(1), u32(first), u32(254)]);
}

/** TPM2_CreatePrimary (24.1) from a template (a whole TPM2B_PUBLIC), with empty authorisations and no PCR selection. */
export function createPrimary(hierarchy: number, template: Uint8Array): Uint8Array {
  const sensitive = [u16(4), u16(0), u16(0)];
  const outsideInfo = u16(0);
  const creationPcr = u32(0);
  const parameters = [...sensitive, template, outsideInfo, creationPcr];
  return command(0x131, [u32(hierarchy), emptyPassword, ...parameters], tagSessions);
}

/** TPM2_EvictControl (28.5): makes a transient object persistent, authorised by the owner. */
export function evictControl(object: number, persistent: number): Uint8Array {
  return command(0x120, [u32(handle.owner), u32(object), emptyPassword, u32(persistent)], tagSessions);
}

/** TPM2_FlushContext (28.4). */
export function flushContext(object: number): Uint8Array {
  return command(0x165, [u32(object)]);
}

/** The whole length of a response, from the size in its header (18). */
export function responseLength(received: Uint8Array): number | undefined {
  return received.length < headerBytes ? undefined : readU32(received, 2);
}

/** The response code of a response (18). */
export function responseCode(response: Uint8Array): number {
  return readU32(response, 6);
}

/** The first handle of a successful response (18.4). */
export function firstHandle(response: Uint8Array): number {
  return readU32(response, headerBytes);
}

/** Handles listed by {@link getHandles}, and whether there are more. */
export function listedHandles(response: Uint8Array): { readonly more: boolean; readonly handles: number[] } {
  const body = headerBytes;
  const count = readU32(response, body + 5);
  const handles = Array.from({ length: count }, (_, index) => readU32(response, body + 9 + 4 * index));
  return { more: response[body] !== 0, handles };
}

/** TPM2B_PUBLIC of the RSA-2048 endorsement key, template L-1 of the TCG EK Credential Profile, B.3.3. */
export const endorsementKeyTemplate: Uint8Array = rsaStorageTemplate(
  0x0003_00b2, // fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt
  // PolicySecret(TPM_RH_ENDORSEMENT)
  Buffer.from('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 'hex'),
);

/** TPM2B_PUBLIC of the RSA-2048 storage root key, TCG TPM v2.0 Provisioning Guidance 7.5.1. */
export const storageRootKeyTemplate: Uint8Array = rsaStorageTemplate(
  0x0003_0472, // fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt
  new Uint8Array(0),
);

/** An RSA-2048 storage key with AES-128-CFB and `unique` of 256 zero bytes, which both profiles ask for. */
function rsaStorageTemplate(attributes: number, policy: Uint8Array): Uint8Array {
  const rsa = 0x0001;
  const sha256 = 0x000b;
  const symmetric = [u16(0x0006), u16(128), u16(0x0043)]; // AES, 128 bits, CFB
  const noScheme = 0x0010;
  const keyBits = 2048;
  const defaultExponent = 0;
  const area = Buffer.concat([
    u16(rsa),
    u16(sha256),
    u32(attributes),
    u16(policy.length),
    policy,
    ...symmetric,
    u16(noScheme),
    u16(keyBits),
    u32(defaultExponent),
    u16(256),
    new Uint8Array(256),
  ]);
  return Buffer.concat([u16(area.length), area]);
}

function command(code: number, parts: readonly Uint8Array[], tag: number = tagNoSessions): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(tag), u32(headerBytes + body.length), u32(code), body]);
}

function u16(value: number): Uint8Array {
  return new Uint8Array([value >>> 8, value & 0xff]);
}

function u32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

function readU32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}
