import { CodeTable } from '../algorithms.ts';
import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** `clear` starts anew, `state` resumes what Shutdown(state) saved (Part 2, 6.10 TPM_SU). */
export type StartupType = 'clear' | 'state';

/** Parameters of TPM2_Startup. */
export interface StartupRequest {
  readonly startupType: StartupType;
}

const startupTypes = new CodeTable<StartupType>('startup type', [
  ['clear', 0x0000],
  ['state', 0x0001],
]);

/** TPM2_Startup (Part 3, 9.3): only on a simulator; on hardware the firmware sends it. */
export const startup: Command<StartupRequest, NoFields> = defineCommand({
  name: 'Startup',
  code: 0x144,
  timeoutClass: 'metadata',
  write: (writer, request) => startupTypes.write(writer, request.startupType, 'startupType'),
  read: readNothing,
});

/** Parameters of TPM2_Shutdown. */
export interface ShutdownRequest {
  readonly shutdownType: StartupType;
}

/** TPM2_Shutdown (Part 3, 9.4): before a simulator is stopped, so that the stop does not count as an attack. */
export const shutdown: Command<ShutdownRequest, NoFields> = defineCommand({
  name: 'Shutdown',
  code: 0x145,
  timeoutClass: 'nv',
  write: (writer, request) => startupTypes.write(writer, request.shutdownType, 'shutdownType'),
  read: readNothing,
});
