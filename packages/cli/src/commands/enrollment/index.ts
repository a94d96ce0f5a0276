import type { Command } from '../../command/command.ts';
import { enrollmentCreateCommand } from './create.ts';
import { enrollmentDeleteCommand } from './delete.ts';
import { enrollmentListCommand } from './list.ts';
import { enrollmentDisableCommand, enrollmentEnableCommand } from './set-status.ts';
import { enrollmentShowCommand } from './show.ts';

/** Every `endorse enrollment …`, in the order help lists them. */
export const enrollmentCommands: readonly Command[] = Object.freeze([
  enrollmentListCommand,
  enrollmentShowCommand,
  enrollmentCreateCommand,
  enrollmentDeleteCommand,
  enrollmentDisableCommand,
  enrollmentEnableCommand,
]);
