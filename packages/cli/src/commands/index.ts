import type { Command } from '../command/command.ts';
import { applyCommand } from './apply.ts';
import { discoverCommand } from './discover.ts';
import { doctorCommand } from './doctor.ts';
import { emulatorCommand } from './emulator.ts';
import { enrollmentCommands } from './enrollment/index.ts';
import { explainCommand } from './explain.ts';
import { planCommand } from './plan.ts';
import { registerCommand } from './register.ts';
import { reportCommand } from './report.ts';
import { registrarCommand } from './registrar.ts';
import { selfRegisterCommand } from './self-register.ts';
import { tokenInspectCommand } from './token-inspect.ts';
import { tokenListCommand } from './token-list.ts';
import { tokenMintCommand } from './token-mint.ts';
import { tokenRevokeCommand } from './token-revoke.ts';
import { tpmInfoCommand } from './tpm-info.ts';

/** Every command, in the order help lists them. */
export const commands: readonly Command[] = Object.freeze([
  tpmInfoCommand,
  doctorCommand,
  registerCommand,
  ...enrollmentCommands,
  emulatorCommand,
  discoverCommand,
  planCommand,
  applyCommand,
  reportCommand,
  explainCommand,
  registrarCommand,
  tokenMintCommand,
  tokenInspectCommand,
  tokenListCommand,
  tokenRevokeCommand,
  selfRegisterCommand,
]);
