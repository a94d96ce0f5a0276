import type { Command } from './command.ts';
import { suggest } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/** A command line, split into the command and what is left for it. */
export interface FoundCommand {
  readonly command: Command;
  readonly rest: readonly string[];
}

/**
 * Finds the command that the leading words name. Throws `UsageError` with the nearest one, or, for a
 * word that only begins commands (`tpm`), with the commands it begins.
 */
export function findCommand(commands: readonly Command[], args: readonly string[]): FoundCommand {
  const command = commands.find(({ path }) => path.every((word, index) => args[index] === word));
  if (command !== undefined) return { command, rest: args.slice(command.path.length) };
  const firstOption = args.findIndex((arg) => arg.startsWith('-'));
  const words = firstOption < 0 ? args : args.slice(0, firstOption);
  if (words.length === 0) {
    throw new UsageError(`there is no command before ${args[0]}`, {
      remedy: 'Options come after the command.',
    });
  }
  const continuations = commands.filter(({ path }) => path.length > 1 && path[0] === words[0]);
  const names = (continuations.length > 0 ? continuations : commands).map(({ path }) => path.join(' '));
  // Arguments may follow the command: compare with as many words as a command can have, and with one.
  const typed = words.slice(0, 2).join(' ');
  const near = suggest(typed, names) ?? suggest(words[0] ?? '', names);
  const hint = near === undefined ? `; there are: ${names.join(', ')}` : `; did you mean ${near}?`;
  throw new UsageError(`there is no command ${JSON.stringify(typed.slice(0, 40))}${hint}`);
}
