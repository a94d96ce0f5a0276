import { chooseStyle, type Style } from './style.ts';

/** Where text goes; `process.stdout` fits. */
export interface TextSink {
  /** Takes text as it is; lines end in a line feed. */
  write(text: string): unknown;
  /** True for a terminal. */
  readonly isTTY?: boolean;
  /** Width of a terminal, in characters. */
  readonly columns?: number;
  /** Height of a terminal, in lines. */
  readonly rows?: number;
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
  /** Prints text of the result as it is, lines and all; nothing with `--json`. */
  text(text: string): void;
  /** The terminal that can be drawn on while work goes on; undefined with `--json`, and where standard error is none. */
  readonly screen: TextSink | undefined;
  /** The same output, as JSON lines when standard output is no terminal: for commands whose results programs read. */
  forReader(): Output;
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
    text: (text) => {
      if (!json) stdout.write(text);
    },
    screen: !json && stderr.isTTY === true && env['TERM'] !== 'dumb' ? stderr : undefined,
    forReader: () => createOutput({ ...options, json: json || stdout.isTTY !== true }),
  };
}
