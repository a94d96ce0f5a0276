import { parseArgs } from 'node:util';
import type { Bench, BenchSize } from '../bench.ts';

/** Benches to run, and what becomes of their figures. */
export interface RunRequest {
  readonly kind: 'run';
  /** In the order of the registry. */
  readonly benches: readonly Bench<unknown>[];
  readonly size: BenchSize;
  /** Render the reports of an earlier run, measure nothing. */
  readonly fromReports: boolean;
  readonly updateReadme: boolean;
  readonly updateDocs: boolean;
  /** Folder of the reports, when it is not `reports/bench`. */
  readonly reports: string | undefined;
}

/** What the command line asks for. */
export type BenchRequest = RunRequest | { readonly kind: 'list' } | { readonly kind: 'help' };

/** The command line makes no sense; nothing was started. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The text of `--help`. */
export const usage = `npm run bench [-- [name…] [options]]   runs every bench, or those named

  --list            lists the benches
  --quick           a short version of each, to try out; its figures say nothing
  --update-readme   puts the table into README.md
  --update-docs     puts tables and plots into docs/
  --from-reports    measures nothing: renders the reports of the last run
  --reports FOLDER  where reports and plots are; default reports/bench
`;

/** Reads the arguments. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[], benches: readonly Bench<unknown>[]): BenchRequest {
  const { values, positionals } = parse(args);
  if (values.help) return { kind: 'help' };
  if (values.list) return { kind: 'list' };
  const names = benches.map(({ name }) => name);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`no bench is called ${unknown.join(', ')}; there are ${names.join(', ')}`);
  }
  if (values.quick && (values['update-readme'] || values['update-docs'])) {
    throw new UsageError('figures of --quick say nothing, so they do not go into documents');
  }
  if (values.quick && values['from-reports']) {
    throw new UsageError('--quick measures and --from-reports does not: take one of them');
  }
  return {
    kind: 'run',
    benches: benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    size: values.quick ? 'quick' : 'full',
    fromReports: values['from-reports'],
    updateReadme: values['update-readme'],
    updateDocs: values['update-docs'],
    reports: values.reports,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        'update-readme': { type: 'boolean', default: false },
        'update-docs': { type: 'boolean', default: false },
        'from-reports': { type: 'boolean', default: false },
        reports: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
