import type { Output } from '../output/output.ts';
import type { OptionTable, OptionValues } from './option.ts';

/** How a command ends: 0 success, 1 failed, 2 usage, 3 conflict, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** What a command may use of the world. */
export interface CommandContext {
  /** Where results, progress and diagnostics go. */
  readonly output: Output;
  /** Aborted on Ctrl-C; the command then cleans up and rejects with its reason. */
  readonly signal: AbortSignal;
  /** Environment variables: the only way in for secrets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Version of this package, `x.y.z`. */
  readonly version: string;
}

/** An invocation that help shows. */
export interface CommandExample {
  readonly line: string;
  /** What it does, in lower case without a full stop. */
  readonly says: string;
}

/** What `help` knows of a command. */
export interface CommandHelp {
  /** The words after `endorse`. */
  readonly path: readonly string[];
  /** One line for the list of commands: lower case, no full stop. */
  readonly summary: string;
  /** Paragraphs that teach what it does and what it touches. */
  readonly description: readonly string[];
  readonly options: OptionTable;
  readonly examples: readonly CommandExample[];
  /** Environment variables it reads by itself, with what they do. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What exit codes mean here, where there is more to say than in general. */
  readonly exitCodes?: Readonly<Partial<Record<ExitCode, string>>>;
}

/** A command as the program runs it. */
export interface Command extends CommandHelp {
  /** Resolves with the exit code; rejects with what went wrong. */
  run(values: Readonly<Record<string, unknown>>, context: CommandContext): Promise<ExitCode>;
}

/** A command as it is written: its values have the types of its options. */
export interface CommandDefinition<Table extends OptionTable> extends CommandHelp {
  readonly options: Table;
  readonly run: (values: OptionValues<Table>, context: CommandContext) => Promise<ExitCode>;
}

/** Makes a command from its definition; `parseOptions` guarantees that the values fit. */
export function defineCommand<const Table extends OptionTable>(
  definition: CommandDefinition<Table>,
): Command {
  return {
    ...definition,
    run: (values, context) => definition.run(values as OptionValues<Table>, context),
  };
}
