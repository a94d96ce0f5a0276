import { chooseStyle, type Style } from './style.ts';

/** Where text goes; `process.stdout` fits. */
export interface TextSink {
  /** Takes text as it is; lines end in a line feed. */
  write(text: string): unknown;
  /** True for a terminal. */
  readonly isTTY?: boolean;
}

/** One JSON line: an event name and fields, none of them secret unless the command exists to hand it out. */
export type OutputEvent = { readonly event: string } & Readonly<Record<string, unknown>>;

/**
 * What a command says. Results go to standard output, either as JSON lines or as text; progress and
 * diagnostics go to standard error as text.
 */
export interface Output {
  /** True with `--json`. */
  readonly json: boolean;
  /** True with `--verbose`. */
  readonly verbose: boolean;
  /** Looks for standard output. */
  readonly style: Style;
  /** Looks for standard error. */
  readonly errorStyle: Style;
  /** Prints a JSON line; nothing without `--json`. */
  event(event: OutputEvent): void;
  /** Prints a line of the result; nothing with `--json`. */
  result(line: string): void;
  /** Prints a line of progress to standard error; nothing with `--json`. */
  progress(line: string): void;
  /** Prints a line of diagnostics to standard error, always. */
  diagnostic(line: string): void;
}

/** Makes the output of one run. */
export function createOutput(options: {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly verbose: boolean;
}): Output {
  const { stdout, stderr, env, json, verbose } = options;
  const print = (sink: TextSink, line: string): void => {
    sink.write(`${line}\n`);
  };
  return {
    json,
    verbose,
    style: chooseStyle(stdout.isTTY === true, env),
    errorStyle: chooseStyle(stderr.isTTY === true, env),
    event: (event) => {
      // The name first, so that a person can read the lines as well.
      const { event: name, ...fields } = event;
      if (json) print(stdout, JSON.stringify({ event: name, ...fields }));
    },
    result: (line) => {
      if (!json) print(stdout, line);
    },
    progress: (line) => {
      if (!json) print(stderr, line);
    },
    diagnostic: (line) => print(stderr, line),
  };
}
