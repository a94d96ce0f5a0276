import { parseArgs } from 'node:util';
import type { OptionDefinition, OptionTable } from './option.ts';
import { suggest } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/** Options every command has. */
export const commonOptions: OptionTable = Object.freeze({
  json: {
    type: 'boolean',
    summary: 'print JSON lines on standard output; diagnostics stay on standard error',
  },
  verbose: { type: 'boolean', summary: 'also print every TPM command and every request, without secrets' },
  help: { type: 'boolean', summary: 'explain this command' },
});

/**
 * Reads the arguments of a command. Throws {@link UsageError} for an unknown option (with the nearest one),
 * a missing or unexpected value, a value outside its range or choice, and anything given twice.
 */
export function parseOptions(table: OptionTable, args: readonly string[]): Readonly<Record<string, unknown>> {
  const values = new Map<string, unknown>();
  // Not strict: node's own messages neither suggest nor notice an option given twice.
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(table).map(([name, { type }]) => [
        name,
        { type: type === 'boolean' ? 'boolean' : 'string', ...(name === 'help' ? { short: 'h' } : {}) },
      ]),
    ),
  });
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      throw new UsageError(`unexpected argument ${quote(token.value)}`, {
        remedy: 'Everything is given by options.',
      });
    }
    const definition = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (definition === undefined) throw unknownOption(token.rawName, Object.keys(table));
    if (definition.type !== 'strings' && values.has(token.name)) {
      throw new UsageError(`--${token.name} is given twice`);
    }
    const inline = token.inlineValue === true;
    values.set(token.name, readValue(token.name, definition, token.value, inline, values.get(token.name)));
  }
  return complete(table, values);
}

function readValue(
  name: string,
  definition: OptionDefinition,
  value: string | undefined,
  inline: boolean,
  earlier: unknown,
): unknown {
  if (definition.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return true;
  }
  // `--host --id-scope X`: the value was forgotten, the next option is not it.
  const forgotten = value === undefined || value === '' || (!inline && value.startsWith('-'));
  if (forgotten) throw new UsageError(`--${name} needs a value: --${name} ${definition.value}`);
  switch (definition.type) {
    case 'string':
      if (definition.choices !== undefined && !definition.choices.includes(value)) {
        const near = suggest(value, definition.choices);
        const hint = near === undefined ? '' : `; did you mean ${near}?`;
        throw new UsageError(
          `--${name} must be one of ${definition.choices.join(', ')}, not ${quote(value)}${hint}`,
        );
      }
      return value;
    case 'strings':
      return [...((earlier as readonly string[] | undefined) ?? []), value];
    case 'integer':
      return readInteger(name, definition, value);
    default:
      return definition satisfies never;
  }
}

function readInteger(
  name: string,
  { minimum, maximum }: Extract<OptionDefinition, { type: 'integer' }>,
  text: string,
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`--${name} must be a whole number from ${minimum} to ${maximum}, not ${quote(text)}`);
}

function complete(
  table: OptionTable,
  values: ReadonlyMap<string, unknown>,
): Readonly<Record<string, unknown>> {
  const isHelp = values.get('help') === true;
  const entries = Object.entries(table).map(([name, definition]): readonly [string, unknown] => {
    const value = values.get(name);
    if (value !== undefined) return [name, value];
    switch (definition.type) {
      case 'boolean':
        return [name, false];
      case 'strings':
        return [name, []];
      case 'integer':
        return [name, definition.default];
      case 'string':
        if (definition.required === true && !isHelp) {
          throw new UsageError(`--${name} is missing: --${name} ${definition.value}, ${definition.summary}`);
        }
        return [name, definition.default];
      default:
        return definition satisfies never;
    }
  });
  return Object.fromEntries(entries);
}

function unknownOption(rawName: string, names: readonly string[]): UsageError {
  const near = suggest(rawName.replace(/^-+/, ''), names);
  const hint = near === undefined ? '' : `; did you mean --${near}?`;
  return new UsageError(`there is no option ${quote(rawName)}${hint}`);
}

/** Quotes what was typed, shortened: a key pasted into the wrong place must not end up in a log whole. */
function quote(text: string): string {
  return JSON.stringify(text.length > 24 ? `${text.slice(0, 12)}…` : text);
}
