import type { Style } from '../output/style.ts';
import type { Command, ExitCode } from './command.ts';
import type { OptionDefinition } from './option.ts';

/** What exit codes mean for every command. */
export const exitCodes: Readonly<Record<ExitCode, string>> = Object.freeze({
  0: 'success',
  1: 'the operation failed',
  2: 'the command line cannot be followed; nothing was done',
  3: 'conflict: somebody else changed the same thing',
  130: 'interrupted (Ctrl-C or SIGTERM), after cleaning up',
});

/** The text of `endorse --help`. */
export function renderOverview(commands: readonly Command[], style: Style): string {
  const width = Math.max(...commands.map(({ path }) => path.join(' ').length));
  return lines(
    `${style('bold', 'endorse')} gives a device an identity from its TPM and gets it provisioned.`,
    '',
    style('bold', 'Usage'),
    '  endorse COMMAND [OPTIONS]',
    '',
    style('bold', 'Commands'),
    ...commands.map(({ path, summary }) => `  ${style('cyan', path.join(' ').padEnd(width))}  ${summary}`),
    '',
    'endorse COMMAND --help explains a command, endorse --version prints the version.',
    '',
    style('bold', 'TPM addresses'),
    '  device:///dev/tpmrm0   a TPM of Linux, through the kernel’s resource manager',
    '  tbs:                   the TPM of Windows',
    '  swtpm://host:port      a simulator (swtpm), or swtpm+unix:///path',
    '  mssim://host:port      a simulator that speaks the Microsoft/IBM protocol',
    '',
    ...renderExitCodes(exitCodes, style),
    '',
    'Secrets (passwords, keys) come from environment variables, never from the command line,',
    'where every process of the machine could read them.',
  );
}

/** The text of `endorse COMMAND --help`. */
export function renderCommandHelp(command: Command, style: Style): string {
  const name = `endorse ${command.path.join(' ')}`;
  const options = Object.entries(command.options);
  const required = options.filter(
    ([, definition]) => definition.type === 'string' && definition.required === true,
  );
  const usage = required.map(([option, definition]) => ` ${renderOption(option, definition)}`).join('');
  const environment = Object.entries(command.environment ?? {});
  return lines(
    `${style('bold', name)}: ${command.summary}`,
    '',
    style('bold', 'Usage'),
    `  ${name}${usage} [OPTIONS]`,
    '',
    ...command.description.flatMap((paragraph) => [...wrap(paragraph, 96), '']),
    style('bold', 'Options'),
    ...renderOptions(options, style),
    ...(environment.length === 0
      ? []
      : ['', style('bold', 'Environment'), ...renderPairs(environment, style)]),
    '',
    style('bold', 'Examples'),
    ...command.examples.flatMap(({ line, says }) => [
      `  ${style('dim', `# ${says}`)}`,
      `  ${style('cyan', line)}`,
    ]),
    '',
    ...renderExitCodes({ ...exitCodes, ...command.exitCodes }, style),
  );
}

function renderOptions(
  options: readonly (readonly [string, OptionDefinition])[],
  style: Style,
): readonly string[] {
  return renderPairs(
    options.map(([name, definition]) => [renderOption(name, definition), describe(definition)] as const),
    style,
  );
}

function renderOption(name: string, definition: OptionDefinition): string {
  return definition.type === 'boolean' ? `--${name}` : `--${name} ${definition.value}`;
}

function describe(definition: OptionDefinition): string {
  const notes: string[] = [];
  if (definition.type === 'string' && definition.required === true) notes.push('required');
  if (definition.type === 'strings') notes.push('may be repeated');
  if (definition.type === 'string' && definition.choices !== undefined)
    notes.push(definition.choices.join(', '));
  if ('default' in definition && definition.default !== undefined)
    notes.push(`default ${definition.default}`);
  return notes.length === 0 ? definition.summary : `${definition.summary} (${notes.join('; ')})`;
}

function renderExitCodes(codes: Readonly<Record<number, string>>, style: Style): readonly string[] {
  return [
    style('bold', 'Exit codes'),
    ...Object.entries(codes).map(([code, says]) => `  ${code.padStart(3)}  ${says}`),
  ];
}

/** Two columns; the right one is wrapped and stays in its column. */
function renderPairs(pairs: readonly (readonly [string, string])[], style: Style): readonly string[] {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.flatMap(([left, right]) =>
    wrap(right, 92 - width).map((line, index) =>
      index === 0 ? `  ${style('cyan', left.padEnd(width))}  ${line}` : `  ${' '.repeat(width)}  ${line}`,
    ),
  );
}

function wrap(text: string, width: number): readonly string[] {
  const wrapped: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      wrapped.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...wrapped, line];
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
