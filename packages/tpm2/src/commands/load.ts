import { maxNameSize } from '../structures/creation-data.ts';
import type { PublicArea } from '../structures/public-area.ts';
import { encodeTpm2bPublic } from '../structures/public-area.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** Parameters of TPM2_Load. */
export interface LoadRequest {
  readonly parentHandle: number;
  /** Inner bytes of TPM2B_PRIVATE, from Create or Import. */
  readonly inPrivate: Uint8Array;
  readonly inPublic: PublicArea;
}

/** Answer of TPM2_Load. */
export interface LoadResponse {
  /** Transient handle; flush it. */
  readonly objectHandle: number;
  readonly name: Uint8Array;
}

/** TPM2_Load (Part 3, 12.2). */
export const load: Command<LoadRequest, LoadResponse> = defineCommand({
  name: 'Load',
  code: 0x157,
  // Loading an RSA child recomputes its private exponent; an HMAC key takes no time.
  timeoutClass: 'privateKey',
  handleCount: 1,
  authHandleCount: 1,
  responseHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.parentHandle],
  write: (writer, request) =>
    void writer.sized(request.inPrivate, 'inPrivate').bytes(encodeTpm2bPublic(request.inPublic), 'inPublic'),
  read: (reader, objectHandle) => Object.freeze({ objectHandle, name: reader.sized('name', maxNameSize) }),
});
