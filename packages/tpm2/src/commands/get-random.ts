import { maxDigestSize } from '../algorithms.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** Parameters of TPM2_GetRandom. */
export interface GetRandomRequest {
  /** How many bytes; a TPM gives at most one digest of its largest hash. */
  readonly bytesRequested: number;
}

/** Answer of TPM2_GetRandom. */
export interface GetRandomResponse {
  /** May be shorter than asked for. */
  readonly randomBytes: Uint8Array;
}

/** TPM2_GetRandom (Part 3, 16.1). */
export const getRandom: Command<GetRandomRequest, GetRandomResponse> = defineCommand({
  name: 'GetRandom',
  code: 0x17b,
  timeoutClass: 'metadata',
  firstResponseParameterIsTpm2b: true,
  write: (writer, request) => void writer.u16(request.bytesRequested, 'bytesRequested'),
  read: (reader) => Object.freeze({ randomBytes: reader.sized('randomBytes', maxDigestSize) }),
});
