/**
 * A file of pins, in the manner of SSH's `known_hosts`: one line a trusted certificate,
 *
 *     <name> sha256:<64 hex digits>
 *
 * with empty lines and lines that begin with `#` ignored. A line that cannot be read stops everything: a pins file
 * that is believed by half is none. New pins are appended and flushed; a replacement rewrites the file beside the old
 * one and renames it.
 */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { InvalidArgumentError } from '@endorse/interface';
import { CertificatePinError } from './errors.ts';
import { parseFingerprint } from './fingerprint.ts';
import type { PinStore } from './pins.ts';
import { checkFingerprints, checkPinName } from './pins.ts';

/**
 * Keeps pins in a file, which is created at the first pin with rights for its owner only.
 *
 * The file is read at every look-up, so that several processes and an editor see each other's changes; writes of one
 * process are made one after the other. `get` and `set` reject with `ERR_PINS_FILE` when the file cannot be read or
 * written, has more than 4 MiB, or holds a line that is no pin.
 */
export function openPinsFile(path: string): PinStore {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new InvalidArgumentError('path', 'must be the path of a file');
  }
  let queue: Promise<unknown> = Promise.resolve();
  return {
    get: async (name) => {
      const wanted = checkPinName(name);
      await queue.catch(() => undefined);
      return pinsOf(parse(path, await read(path)), wanted);
    },
    set: (name, fingerprints) => {
      const change = { name: checkPinName(name), fingerprints: checkFingerprints(fingerprints) };
      const written = queue.catch(() => undefined).then(() => write(path, change));
      queue = written.catch(() => undefined);
      return written;
    },
  };
}

interface Line {
  readonly text: string;
  /** Absent for comments and empty lines. */
  readonly pin?: { readonly name: string; readonly fingerprint: string };
}

interface Change {
  readonly name: string;
  readonly fingerprints: readonly string[];
}

/** A fleet of 10,000 gateways has a file of about 1 MiB. */
const maxFileBytes = 4 * 1024 * 1024;

function pinsOf(lines: readonly Line[], wanted: string): readonly string[] {
  return lines.flatMap(({ pin }) => (pin?.name === wanted ? [pin.fingerprint] : []));
}

async function read(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.byteLength > maxFileBytes) throw new Error(`it has more than ${maxFileBytes} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unusable(path, 'cannot be read', error);
  }
}

function parse(path: string, text: string): readonly Line[] {
  if (text === '') return [];
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, index) => {
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('#')) return { text: line };
      try {
        const [name = '', fingerprint = '', ...rest] = trimmed.split(/\s+/);
        if (rest.length > 0) throw new Error('too many words');
        return { text: line, pin: { name: checkPinName(name), fingerprint: parseFingerprint(fingerprint) } };
      } catch (error) {
        throw unusable(path, `has no pin in line ${index + 1}`, error);
      }
    });
}

async function write(path: string, { name, fingerprints }: Change): Promise<void> {
  const text = await read(path);
  const lines = parse(path, text);
  const known = pinsOf(lines, name);
  const fresh = fingerprints
    .filter((fingerprint) => !known.includes(fingerprint))
    .map((each) => format(name, each));
  try {
    if (known.every((fingerprint) => fingerprints.includes(fingerprint))) {
      if (fresh.length === 0) return;
      const separator = text === '' || text.endsWith('\n') ? '' : '\n';
      await flush(path, 'a', `${separator}${fresh.join('')}`);
      return;
    }
    const kept = lines.filter(({ pin }) => pin?.name !== name || fingerprints.includes(pin.fingerprint));
    await replaceFile(path, `${kept.map((line) => `${line.text}\n`).join('')}${fresh.join('')}`);
  } catch (error) {
    throw unusable(path, 'cannot be written', error);
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.new`;
  try {
    await flush(beside, 'w', text);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function flush(path: string, flags: 'a' | 'w', text: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function format(name: string, fingerprint: string): string {
  return `${name} sha256:${fingerprint}\n`;
}

function unusable(path: string, problem: string, cause: unknown): CertificatePinError {
  const code = (cause as NodeJS.ErrnoException).code;
  const reason = typeof code === 'string' && !code.startsWith('ERR_') ? ` (${code})` : '';
  return new CertificatePinError(
    'ERR_PINS_FILE',
    `pins file ${path} ${problem}${reason}`,
    { pinName: '' },
    {
      cause,
      remedy: 'Correct or delete the line, or name a file that this user may read and write.',
    },
  );
}
