import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Secret } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { keyFromEnvironment, keyFromFile } from '@endorse/security-symmetric-key';
import { describe, expect, test, vi } from 'vitest';

const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const variable = 'ENDORSE_TEST_KEY';
const posix = process.platform !== 'win32';

const usable = [
  ['as the service shows it', key],
  ['with a line feed at its end', `${key}\n`],
  ['with white space around it', `  ${key}\r\n`],
  ['without its padding', key.replace('=', '')],
] as const;

const unusable = [
  ['nothing', '', 'ERR_KEY_MISSING'],
  ['white space', ' \n', 'ERR_KEY_MISSING'],
  ['hex with a colon', '00:01:02:03', 'ERR_KEY_NOT_BASE64'],
  ['two lines', `${key}\n${key}`, 'ERR_KEY_NOT_BASE64'],
  ['base64url', '-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_', 'ERR_KEY_NOT_BASE64'],
  ['a connection string', `HostName=h;SharedAccessKey=${key}`, 'ERR_KEY_NOT_BASE64'],
  ['15 bytes', Buffer.alloc(15, 7).toString('base64'), 'ERR_KEY_LENGTH'],
  ['65 bytes', Buffer.alloc(65, 7).toString('base64'), 'ERR_KEY_LENGTH'],
] as const;

function expectTyped(error: unknown, code: string, source: string, content = ''): void {
  expect(isEndorseError(error), String(error)).toBe(true);
  expect(error).toMatchObject({
    name: 'KeySourceError',
    code,
    source,
    fault: 'caller',
    retryable: false,
    remedy: expect.stringMatching(/\.$/) as unknown,
  });
  const secret = content.trim();
  if (secret !== '') {
    const { message, stack, remedy, cause } = error as Error & { remedy: string };
    expect(`${message}${stack}${remedy}${String(cause)}`).not.toContain(secret);
  }
}

describe('from the environment', () => {
  const read = (text: string | undefined): Secret => {
    vi.stubEnv(variable, text);
    try {
      return keyFromEnvironment(variable);
    } finally {
      vi.unstubAllEnvs();
    }
  };

  test.each(usable)('a key %s is read', (_title, text) => {
    expect(Buffer.from(read(text).reveal()).toString('base64')).toBe(key);
  });

  test.each(unusable)('%s is refused', (_title, text, code) => {
    expectTyped(
      thrown(() => read(text)),
      code,
      variable,
      text,
    );
  });

  test('a variable that is not set is refused', () => {
    expectTyped(
      thrown(() => read(undefined)),
      'ERR_KEY_MISSING',
      variable,
    );
  });

  test.each([undefined, '', 'A=B', 'A\0', 7])('%j is no name of a variable', (name) => {
    expect(thrown(() => keyFromEnvironment(name as never))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'variableName',
    });
  });
});

describe('from a file', () => {
  test.each(usable)('a key %s is read', async (_title, text) => {
    using folder = temporaryFolder();
    const secret = await keyFromFile(folder.write(text));
    expect(Buffer.from(secret.reveal()).toString('base64')).toBe(key);
  });

  test.each(unusable)('%s is refused', async (_title, text, code) => {
    using folder = temporaryFolder();
    const path = folder.write(text);
    expectTyped(await rejected(keyFromFile(path)), code, path, text);
  });

  test('a file that does not exist is refused', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'absent');
    const error = await rejected(keyFromFile(path));
    expectTyped(error, 'ERR_KEY_UNREADABLE', path);
    expect(error).toMatchObject({ message: expect.stringContaining('ENOENT') as unknown });
  });

  test('a folder is refused', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'folder');
    mkdirSync(path, { mode: 0o700 });
    expectTyped(await rejected(keyFromFile(path)), 'ERR_KEY_UNREADABLE', path);
  });

  test('a file that is too large for a key is refused', async () => {
    using folder = temporaryFolder();
    const path = folder.write('A'.repeat(4_097));
    expectTyped(await rejected(keyFromFile(path)), 'ERR_KEY_UNREADABLE', path);
    expect((await keyFromFile(folder.write(key + ' '.repeat(4_096 - key.length)))).byteLength).toBe(32);
  });

  test.runIf(posix)('a named pipe without a writer is refused instead of waited for', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'pipe');
    execFileSync('mkfifo', ['-m', '600', path]);
    expectTyped(await rejected(keyFromFile(path)), 'ERR_KEY_UNREADABLE', path);
  });

  test.runIf(posix).each([0o640, 0o604, 0o620, 0o602, 0o644, 0o777])(
    'mode %i (decimal) is refused, unless that is allowed',
    async (mode) => {
      using folder = temporaryFolder();
      const path = folder.write(key, mode);
      const error = await rejected(keyFromFile(path));
      expectTyped(error, 'ERR_KEY_FILE_MODE', path, key);
      expect(error).toMatchObject({
        message: expect.stringContaining(`mode ${mode.toString(8)}`) as unknown,
        remedy: expect.stringContaining('chmod 600') as unknown,
      });
      expect((await keyFromFile(path, { allowLooseFileMode: true })).byteLength).toBe(32);
    },
  );

  test.runIf(posix)('the mode of a link is that of its target', async () => {
    using folder = temporaryFolder();
    const link = join(folder.path, 'link');
    symlinkSync(folder.write(key, 0o644), link);
    expectTyped(await rejected(keyFromFile(link)), 'ERR_KEY_FILE_MODE', link);
  });

  test.runIf(posix).each([0o600, 0o400])('mode %i (decimal) is accepted', async (mode) => {
    using folder = temporaryFolder();
    expect((await keyFromFile(folder.write(key, mode))).byteLength).toBe(32);
  });

  test('an abort before or during the reading rejects with its reason', async () => {
    using folder = temporaryFolder();
    const path = folder.write(key);
    const reason = new Error('enough');
    expect(await rejected(keyFromFile(path, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    const reading = rejected(keyFromFile(path, { signal: controller.signal }));
    controller.abort(reason);
    expect(await reading).toBe(reason);
  });

  test.each([undefined, '', 'a\0b', 7])('%j is no path', async (path) => {
    expect(await rejected(keyFromFile(path as never))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'path',
    });
  });
});

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return expect.fail('should throw');
}

async function rejected(promise: Promise<unknown>): Promise<unknown> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome.status === 'rejected' ? (outcome.reason as unknown) : expect.fail('should reject');
}

function temporaryFolder(): Disposable & { path: string; write(text: string, mode?: number): string } {
  const path = mkdtempSync(join(tmpdir(), 'endorse-key-'));
  return {
    path,
    write: (text, mode = 0o600) => {
      const file = join(path, 'key');
      writeFileSync(file, text);
      // Not by the option of writeFileSync, from which the umask takes bits away.
      chmodSync(file, mode);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
