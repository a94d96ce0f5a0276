import type { ExitCode } from './command/command.ts';
import { exitCodeOf } from './command/exit-code.ts';
import { findCommand } from './command/find-command.ts';
import { renderCommandHelp, renderOverview } from './command/help.ts';
import { commonOptions, parseOptions } from './command/parse-options.ts';
import { suggest } from './command/suggest.ts';
import { UsageError } from './command/usage-error.ts';
import { toUsageError } from './command/check-option.ts';
import { commands } from './commands/index.ts';
import { createOutput, type Output, type TextSink } from './output/output.ts';
import { printError } from './output/print-error.ts';
import { readVersion } from './version.ts';

/** The world around one run of the program. */
export interface CliEnvironment {
  /** Receives results. */
  readonly stdout: TextSink;
  /** Receives progress and diagnostics. */
  readonly stderr: TextSink;
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Operating system, as in `process.platform`. */
  readonly platform: NodeJS.Platform;
  /** Aborted to interrupt the run, which then cleans up and resolves with 130. */
  readonly signal: AbortSignal;
}

/**
 * Runs the program with the given arguments (without `node` and the script) and resolves with its exit code.
 * Never rejects: what goes wrong is printed.
 */
export async function runCli(args: readonly string[], environment: CliEnvironment): Promise<ExitCode> {
  const { stdout, stderr, env, platform, signal } = environment;
  // Read before parsing, so that an unusable command line is reported in the format asked for.
  const output = createOutput({
    stdout,
    stderr,
    env,
    json: args.includes('--json'),
    verbose: args.includes('--verbose'),
  });
  let program = 'endorse';
  let optionNames: readonly string[] = [];
  try {
    const text = answerWithoutCommand(args, output);
    if (text !== undefined) {
      stdout.write(text);
      return 0;
    }
    const { command, rest } = findCommand(commands, args);
    program = ['endorse', ...command.path].join(' ');
    optionNames = Object.keys(command.options);
    const complete = { ...command, options: { ...command.options, ...commonOptions } };
    const values = parseOptions(complete.options, rest);
    if (values['help'] === true) {
      stdout.write(renderCommandHelp(complete, output.style));
      return 0;
    }
    return await command.run(values, { output, signal, env, platform, version: readVersion() });
  } catch (error) {
    return report(toUsageError(error, optionNames) ?? error, program, output, signal);
  }
}

function answerWithoutCommand(args: readonly string[], output: Output): string | undefined {
  const [first, ...rest] = args;
  switch (first) {
    case '--help':
    case '-h':
      return renderOverview(commands, output.style);
    case '--version':
      return `${readVersion()}\n`;
    case 'help': {
      if (rest.length === 0) return renderOverview(commands, output.style);
      const { command } = findCommand(commands, rest);
      return renderCommandHelp(
        { ...command, options: { ...command.options, ...commonOptions } },
        output.style,
      );
    }
    case undefined:
      throw new UsageError('no command given', { remedy: 'endorse --help lists the commands.' });
    default:
      if (first.startsWith('--') && suggest(first.slice(2), ['help', 'version']) !== undefined) {
        throw new UsageError(`there is no option ${first}; did you mean --help or --version?`);
      }
      return undefined;
  }
}

function report(error: unknown, program: string, output: Output, signal: AbortSignal): ExitCode {
  if (signal.aborted && (error === signal.reason || isAbortOf(error, signal))) {
    output.diagnostic(`${program}: interrupted; everything was cleaned up`);
    output.event({ event: 'interrupted', command: program });
    return 130;
  }
  printError(output, program, error);
  if (error instanceof UsageError) {
    output.diagnostic(`  ${output.errorStyle('bold', 'usage:')}   ${program} --help`);
  }
  return exitCodeOf(error);
}

function isAbortOf(error: unknown, signal: AbortSignal): boolean {
  return error instanceof Error && error.cause === signal.reason;
}
