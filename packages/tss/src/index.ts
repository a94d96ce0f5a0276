/**
 * tss.js, the breadth of TPM 2.0 (122 commands, every structure), in a form that installs everywhere and keeps its
 * promises: over Endorse's devices, one command at a time with bounded retries, exact integers, errors that say what
 * the TPM meant, and HMAC sessions. For what the ceremony of `@endorse/security-tpm` does not need: quotes, PCRs, NV,
 * sealing, certification.
 *
 * @example
 * ```js
 * import { TPM_HANDLE, createTss } from '@endorse/tss';
 *
 * // The offset is that from 0x01000000: 0xc00002 is the certificate of an RSA endorsement key.
 * export async function readNv(address, offset, byteLength) {
 *   const tpm = await createTss({ tpm: address, signal: AbortSignal.timeout(5_000) });
 *   try {
 *     const nvIndex = TPM_HANDLE.NV(offset);
 *     return await tpm.NV_Read(nvIndex, nvIndex, byteLength, 0);
 *   } finally {
 *     await tpm.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
// The 400 structures and enumerations of tss.js; a list of them here would only repeat the generated one.
export * from './generated/tssjs.mjs';
export type { TssOptions } from './create-tss.ts';
export { createTss } from './create-tss.ts';
export type { HmacSessionOptions } from './hmac-session.ts';
export { HmacSession, startHmacSession } from './hmac-session.ts';
export type { TpmSource } from './tpm.ts';
export { Tpm, Tpm as TpmBase } from './tpm.ts';
export type { TpmBufferSource, TpmMarshaller, TpmStructureType } from './tpm-buffer.ts';
export { TpmBuffer } from './tpm-buffer.ts';
export { TpmError } from './tpm-error.ts';
export type { TssDevice } from './tss-device.ts';
export { TSS_TPM_INFO, TpmLinuxDevice, TpmTbsDevice, TpmTcpDevice, openTssDevice } from './tss-device.ts';
