import { runCli } from '@endorse/cli';

/** What one run of the program printed and how it ended. */
export interface CliOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in this process, with sinks that are no terminals. */
export async function runInProcess(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly terminal?: boolean;
    readonly platform?: NodeJS.Platform;
    readonly signal?: AbortSignal;
  } = {},
): Promise<CliOutcome> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const sink = (lines: string[]): { write(text: string): void; isTTY: boolean } => ({
    write: (text) => void lines.push(text),
    isTTY: options.terminal ?? false,
  });
  const exitCode = await runCli(args, {
    stdout: sink(stdout),
    stderr: sink(stderr),
    env: options.env ?? {},
    platform: options.platform ?? 'linux',
    signal: options.signal ?? AbortSignal.timeout(20_000),
  });
  return { exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** The JSON lines in a text; fails on a line that is none. */
export function jsonLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
