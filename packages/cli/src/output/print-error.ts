import { inspect } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import type { Output } from './output.ts';

/**
 * Prints what went wrong: the message (which says what was attempted) with its code, the chain of
 * causes in a line each, and what to do. With `--json` the same as one event on standard output, too.
 */
export function printError(output: Output, program: string, error: unknown): void {
  const described = describeError(error);
  const [first, ...causes] = described.chain;
  const style = output.errorStyle;
  output.diagnostic(`${style('red', program)}: ${oneLine(first)}`);
  for (const cause of causes) output.diagnostic(`  ${style('dim', 'because:')} ${oneLine(cause)}`);
  if (described.remedy !== undefined) output.diagnostic(`  ${style('bold', 'remedy:')}  ${described.remedy}`);
  if (described.stack !== undefined) output.diagnostic(described.stack);
  output.event({
    event: 'error',
    command: program,
    code: first?.code ?? 'ERR_UNEXPECTED',
    message: first?.message ?? '',
    retryable: described.retryable,
    ...(described.remedy === undefined ? {} : { remedy: described.remedy }),
    causes,
  });
}

interface Link {
  readonly code: string | undefined;
  readonly message: string;
}

interface DescribedError {
  readonly chain: readonly Link[];
  readonly retryable: boolean;
  readonly remedy: string | undefined;
  /** Only for what is no error of Endorse: a defect, which wants its place shown. */
  readonly stack: string | undefined;
}

/** Longer chains are a loop or noise. */
const maxCauses = 8;

function describeError(error: unknown): DescribedError {
  const chain: Link[] = [];
  let remedy: string | undefined;
  const seen = new Set<unknown>();
  for (let link = error; !seen.has(link) && seen.size < maxCauses; link = causeOf(link)) {
    // Without a cause there is nothing left, but an undefined error was still thrown by somebody.
    if (link === undefined && seen.size > 0) break;
    seen.add(link);
    const message = link instanceof Error ? link.message : inspect(link, { depth: 1 });
    const code = codeOf(link);
    // A wrapper that repeats its cause word for word would print the same line twice.
    if (chain.at(-1)?.message !== message || chain.at(-1)?.code !== code) chain.push({ code, message });
    remedy ??= isEndorseError(link) && 'remedy' in link ? link.remedy : undefined;
  }
  const known = isEndorseError(error);
  return {
    chain,
    retryable: known && error.retryable,
    remedy:
      remedy ??
      (known ? undefined : 'This is a defect of the program: please report it with the lines below.'),
    stack: known || !(error instanceof Error) ? undefined : error.stack,
  };
}

function causeOf(link: unknown): unknown {
  if (link instanceof AggregateError && link.cause === undefined) return link.errors[0];
  return link instanceof Error ? link.cause : undefined;
}

function codeOf(link: unknown): string | undefined {
  const code = link instanceof Error && 'code' in link ? link.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Messages may hold text of the peer: control characters must not reach a terminal. */
function oneLine(link: Link | undefined): string {
  const message = (link?.message ?? 'unknown error').replaceAll(/\p{Cc}+/gu, ' ').trim();
  return link?.code === undefined ? message : `${message} [${link.code}]`;
}
