import { InvalidArgumentError } from '@endorse/interface';
import { UsageError } from './usage-error.ts';

/** Runs a check of another package and names the option in what it throws instead of the package's argument. */
export function checkOption<Value>(option: string, check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`--${option} ${problemOf(error)}`, { cause: error.cause });
  }
}

/**
 * Names options in an error of another package: `options.bind is …` becomes `--bind is …`, and `allowNonLoopback`
 * inside the text `--allow-non-loopback`. Undefined when it is about something that is no option. `aliases` has the options
 * that are called otherwise than their arguments, by argument.
 */
export function toUsageError(
  error: unknown,
  optionNames: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): UsageError | undefined {
  if (!(error instanceof InvalidArgumentError)) return undefined;
  const argument = error.argument.replace(/^options\./, '');
  // `hubs[0].name` is about a `--hub`.
  const [, list, member = ''] = /^(\w+)s\[\d+\]\.?(.*)$/.exec(argument) ?? [];
  const option =
    aliases[argument] ?? optionNames.find((name) => [argument, list].includes(toCamelCase(name)));
  if (option === undefined) return undefined;
  const problem = optionNames
    .filter((name) => name.includes('-'))
    .reduce(
      (text, name) => text.replaceAll(new RegExp(`\\b${toCamelCase(name)}\\b`, 'g'), `--${name}`),
      [member, problemOf(error)].join(' ').trim(),
    );
  return new UsageError(`--${option} ${problem}`, { cause: error.cause });
}

function problemOf(error: InvalidArgumentError): string {
  return error.message.startsWith(error.argument)
    ? error.message.slice(error.argument.length).trim()
    : error.message;
}

function toCamelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
