/**
 * Passwords of single gateways in a file that only its owner can read: one JSON object a line, the last one of a serial
 * counts. A password is written before its gateway gets it, and once more when the gateway has taken it.
 */
import { open } from 'node:fs/promises';
import { Secret } from '@endorse/interface';
import { ProvisioningError } from './errors.ts';
import type { PasswordStore, StoredPassword } from './ports.ts';
import { ObjectReader } from './support/read-object.ts';

const maxFileBytes = 16 * 1024 * 1024;

/**
 * Opens the file, which is made at the first password. `get` and `put` reject with `ERR_PASSWORDS_FILE` when others may
 * read it, when it cannot be read or written, and when it holds a line that is none.
 */
export function openPasswordsFile(path: string): PasswordStore {
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  return {
    get: (serial) => inTurn(async () => newestFirst(parse(path, await read(path)), serial)),
    put: (serial, { name, password, state }) =>
      inTurn(() =>
        append(path, `${JSON.stringify({ serial, name, password: password.revealText(), state })}\n`),
      ),
  };
}

type Line = StoredPassword & { readonly serial: string };

function newestFirst(lines: readonly Line[], serial: string): readonly StoredPassword[] {
  const own = lines.filter((line) => line.serial.toLowerCase() === serial.toLowerCase()).toReversed();
  const newest = own[0];
  if (newest === undefined) return [];
  const before = own.find(
    ({ state, password }) => state === 'set' && password.fingerprint !== newest.password.fingerprint,
  );
  return newest.state === 'pending' && before !== undefined ? [newest, before] : [newest];
}

async function read(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { mode, size } = await handle.stat();
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
        throw new ProvisioningError('ERR_PASSWORDS_FILE', `${path} can be read by others`, {
          remedy: `Run: chmod 600 ${path}`,
        });
      }
      if (size > maxFileBytes) throw new ProvisioningError('ERR_PASSWORDS_FILE', `${path} is too large`);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error instanceof ProvisioningError ? error : unusable(path, error);
  }
}

function parse(path: string, text: string): readonly Line[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .flatMap((line, index) => (isTorn(line) ? [] : [parseLine(line, `${path}, line ${index + 1},`)]));
}

const lineStart = '{"serial":';

/** What a crash leaves is the start of a line: the password in it was not given to any gateway. */
function isTorn(line: string): boolean {
  return lineStart.startsWith(line.slice(0, lineStart.length)) && !line.endsWith('}');
}

function parseLine(line: string, place: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Without the parser's error: it quotes what it read.
    throw new ProvisioningError('ERR_PASSWORDS_FILE', `${place} is not JSON`);
  }
  const fields = new ObjectReader(
    value,
    place,
    ['serial', 'name', 'password', 'state'],
    'ERR_PASSWORDS_FILE',
  );
  return {
    serial: fields.text('serial', /^.{1,128}$/, 'must be text'),
    name: fields.optionalText('name', /^.{1,64}$/, 'must be text') ?? 'admin',
    password: Secret.fromText(fields.text('password', /^.{1,256}$/, 'must be text')),
    state: fields.optionalWord('state', ['pending', 'set'] as const) ?? 'set',
  };
}

/**
 * Only ever adds, in one write: several runs may share the file, and none may lose what another has just put there. A
 * torn line is therefore ended, not cut off.
 */
async function append(path: string, line: string): Promise<void> {
  try {
    const handle = await open(path, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: Math.max(0, size - 1) });
      await handle.appendFile(size === 0 || buffer[0] === 0x0a ? line : `\n${line}`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): ProvisioningError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  return new ProvisioningError('ERR_PASSWORDS_FILE', `${path} cannot be used: ${code}`, {
    cause,
    remedy: 'No password is given to a gateway before the file has it; make the file writable and resume.',
  });
}
