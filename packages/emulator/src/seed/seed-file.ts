import { readFileSync, statSync } from 'node:fs';
import { isEndorseError } from '@endorse/interface';
import type { Document, LineCounter } from 'yaml';
import { EmulatorError } from '../emulator-error.ts';
import { decodeSeed } from './decode-seed.ts';
import type { EmulatorSeed } from './seed.ts';

/** A seed that was read from a file, and where in it everything stands. */
export interface SeedFile {
  readonly seed: EmulatorSeed;
  /** Turns an error about a member of the seed into one that names file, line and column. */
  locate(error: unknown): unknown;
}

/**
 * Reads a seed file: YAML, of which JSON is a part. The parser is loaded with the first file.
 * Rejects with `ERR_EMULATOR_SEED` for a file that cannot be read or holds something else, by line and column.
 */
export async function readSeedFile(file: string): Promise<SeedFile> {
  const text = readText(file);
  const { LineCounter: Lines, parseDocument } = await import('yaml');
  const lines = new Lines();
  const document: Document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) throw seedError(file, lines, broken.pos[0], broken.message, broken);
  const locate = (error: unknown): unknown => {
    const { argument } = (error ?? {}) as { readonly argument?: string };
    if (!(error instanceof Error) || !isEndorseError(error) || argument === undefined) return error;
    return seedError(file, lines, findOffset(document, argument), error.message, error);
  };
  try {
    // The default of a hundred aliases keeps a small file from becoming a large value.
    return { seed: decodeSeed(document.toJS()), locate };
  } catch (error) {
    if (error instanceof ReferenceError) throw seedError(file, lines, 0, error.message, error);
    throw locate(error);
  }
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > maxFileBytes) throw new Error(`it has ${size} bytes, more than ${maxFileBytes}`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EmulatorError('ERR_EMULATOR_SEED', `cannot read the seed file ${file}: ${reason}`, { cause });
  }
}

/** Some hundred thousand enrollments; more belong into a data directory. */
const maxFileBytes = 268_435_456;

/** The offset of a member, or of the nearest one above it that is there. */
function findOffset(document: Document, argument: string): number {
  const path = argument.split(/[.[\]]+/).filter((key) => key !== '');
  for (let length = path.length; length > 0; length -= 1) {
    const keys = path.slice(0, length).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    const node = document.getIn(keys, true) as { readonly range?: readonly number[] | null } | undefined;
    const [offset] = node?.range ?? [];
    if (offset !== undefined) return offset;
  }
  return 0;
}

function seedError(
  file: string,
  lines: LineCounter,
  offset: number,
  problem: string,
  cause: unknown,
): EmulatorError {
  const { line, col } = lines.linePos(offset);
  return new EmulatorError('ERR_EMULATOR_SEED', `${file}:${line}:${col}: ${problem}`, {
    cause,
    remedy:
      'A seed file is YAML or JSON with hubs, caCertificates, enrollments, enrollmentGroups and faults.',
  });
}
