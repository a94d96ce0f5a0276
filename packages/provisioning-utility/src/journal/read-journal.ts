import { ProvisioningError } from '../errors.ts';
import type { JournalEntry } from './journal.ts';

/** What a journal's bytes hold. */
export interface ReadJournal {
  readonly entries: readonly JournalEntry[];
  /** Bytes up to the end of the last whole line; what is behind was torn by a crash. */
  readonly wholeBytes: number;
}

const events: ReadonlySet<string> = new Set<JournalEntry['event']>([
  'run-started',
  'run-resumed',
  'device-started',
  'step-started',
  'write-started',
  'step-finished',
  'step-failed',
  'device-finished',
  'run-finished',
]);

/**
 * Reads a journal. A torn last line is what a crash leaves and is left out; anything else that is no entry is
 * `ERR_JOURNAL_CORRUPT`, because a run must not go on from what it cannot read.
 */
export function readJournal(bytes: Uint8Array): ReadJournal {
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, wholeBytes));
  const lines = text.split('\n').slice(0, -1);
  const entries = lines.map((line, index) => {
    const entry = parseEntry(line);
    if (entry !== undefined) return entry;
    throw new ProvisioningError('ERR_JOURNAL_CORRUPT', `line ${index + 1} of the journal is no entry`, {
      remedy: 'Keep the journal for an inquiry, and begin a new one: apply finds out what is done already.',
    });
  });
  const [first] = entries;
  if (first !== undefined && first.event !== 'run-started') {
    throw new ProvisioningError('ERR_JOURNAL_CORRUPT', 'the journal has no beginning', {
      remedy: 'Give the journal of an apply.',
    });
  }
  return { entries, wholeBytes };
}

function parseEntry(line: string): JournalEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const entry = value as { readonly event?: unknown; readonly at?: unknown } | null;
    const isEntry =
      typeof entry?.event === 'string' && events.has(entry.event) && typeof entry.at === 'number';
    return isEntry ? (value as JournalEntry) : undefined;
  } catch {
    return undefined;
  }
}
