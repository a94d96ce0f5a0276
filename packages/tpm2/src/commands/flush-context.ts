import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_FlushContext. */
export interface FlushContextRequest {
  /** Object or session to flush; a parameter, not a handle of the command. */
  readonly flushHandle: number;
}

/** TPM2_FlushContext (Part 3, 28.4). */
export const flushContext: Command<FlushContextRequest, NoFields> = defineCommand({
  name: 'FlushContext',
  code: 0x165,
  timeoutClass: 'metadata',
  write: (writer, request) => void writer.u32(request.flushHandle, 'flushHandle'),
  read: readNothing,
});
