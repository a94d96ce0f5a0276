/** TPM commands as hex, written by hand from the TCG TPM 2.0 Library, Part 3. */
export const bytes = {
  getRandom4: '8001 0000000c 0000017b 0004',
  startupClear: '8001 0000000c 00000144 0000',
  shutdownClear: '8001 0000000c 00000145 0000',
  /** TPM_PT_STARTUP_CLEAR; bit 31 of the value says whether the last power-down was orderly. */
  getStartupClear: '8001 00000016 0000017a 00000006 00000201 00000001',
  /** An ECC P-256 storage key in the null hierarchy: made in 2 ms, stays loaded. */
  createPrimary:
    '8002 00000043 00000131 40000007 00000009 40000009 0000 00 0000 0004 0000 0000' +
    '001a 0023 000b 00030472 0000 0006 0080 0043 0010 0003 0010 0000 0000 0000 00000000',
  /** An unbound, unsalted HMAC session. */
  startSession:
    '8001 0000002b 00000176 40000007 40000007 0010 000102030405060708090a0b0c0d0e0f 0000 00 0010 000b',
  /** An NV index of 8 bytes that its owner and its own empty password may use. */
  defineNvIndex: (index: number): string =>
    '8002 0000002d 0000012a 40000001 00000009 40000009 0000 00 0000 0000' +
    `000e ${index.toString(16).padStart(8, '0')} 000b 00060006 0000 0008`,
  flush: (handle: number): string => `8001 0000000e 00000165 ${handle.toString(16).padStart(8, '0')}`,
  readPublic: (handle: number): string => `8001 0000000e 00000173 ${handle.toString(16).padStart(8, '0')}`,
} as const;

/** The response code of a response, as hex. */
export function codeOf(response: string): string {
  return response.slice(12, 20);
}

/** The first handle of a response. */
export function handleOf(response: string): number {
  return Number.parseInt(response.slice(20, 28), 16);
}
