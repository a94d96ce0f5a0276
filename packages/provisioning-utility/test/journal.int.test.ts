/** Journals and passwords in real files. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '@endorse/interface';
import type { JournalEntry } from '@endorse/provisioning-utility';
import { openJournal, openPasswordsFile, readJournal } from '@endorse/provisioning-utility';

const run = promisify(execFile);

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'endorse-journal-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const started: JournalEntry = { event: 'run-started', at: 1, runId: 'r', planDigest: 'd', deviceCount: 1 };
const device: JournalEntry = { event: 'device-started', at: 2, device: 'a' };
const options = { resume: false, planDigest: 'd' };
const resume = { ...options, resume: true };

test('entries are on the disk when append resolves, for their owner only, and come back', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const journal = await openJournal(path, options);
    await Promise.all([journal.append(started), journal.append(device)]);
    expect(readJournal(await readFile(path)).entries).toEqual([started, device]);
    expect((await stat(path)).mode & 0o077).toBe(0);
    await journal.close();
    await using again = await openJournal(path, resume);
    expect(again.earlier).toEqual([started, device]);
  });
});

test('a torn last line is dropped, and the next entry is whole', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    await writeFile(path, `${JSON.stringify(started)}\n{"event":"device-sta`);
    const journal = await openJournal(path, resume);
    expect(journal.earlier).toEqual([started]);
    await journal.append(device);
    await journal.close();
    expect(readJournal(await readFile(path)).entries).toEqual([started, device]);
  });
});

test('a line in the middle that is no entry is refused, and the file is left as it is', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const text = `${JSON.stringify(started)}\n{"event":"device-sta\n${JSON.stringify(device)}\n`;
    await writeFile(path, text);
    await expect(openJournal(path, resume)).rejects.toMatchObject({
      code: 'ERR_JOURNAL_CORRUPT',
      message: expect.stringContaining('line 2'),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

test('a second run at once is refused, a begun journal needs resume, another plan is refused', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const journal = await openJournal(path, options);
    await journal.append(started);
    await expect(openJournal(path, resume)).rejects.toMatchObject({
      code: 'ERR_JOURNAL_LOCKED',
      retryable: true,
    });
    await journal.close();
    await expect(openJournal(path, options)).rejects.toMatchObject({ code: 'ERR_JOURNAL_EXISTS' });
    await expect(openJournal(path, { ...resume, planDigest: 'e' })).rejects.toMatchObject({
      code: 'ERR_JOURNAL_OTHER_PLAN',
    });
    await expect(openJournal(join(folder, 'run.jsonl', 'x'), options)).rejects.toMatchObject({
      code: 'ERR_JOURNAL_WRITE',
    });
  });
});

test('the lock of a process that was killed is gone, and a full disk is told after what fitted', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const child = fileURLToPath(new URL('support/journal-child.mjs', import.meta.url));
    const args = ['--conditions=@endorse/source', child, path];
    await expect(run(process.execPath, [...args, 'die'], { timeout: 20_000 })).rejects.toMatchObject({
      signal: 'SIGKILL',
    });
    const afterDeath = await openJournal(path, resume);
    expect(afterDeath.earlier).toHaveLength(1);
    await afterDeath.close();

    // A limit on the size of files is what a full disk is to one program.
    const limited = `ulimit -f 8; exec "$0" "$@"`;
    const { stdout } = await run('sh', ['-c', limited, process.execPath, ...args, 'fill'], {
      timeout: 20_000,
    });
    const { code, written } = JSON.parse(stdout) as { code: string; written: number };
    expect(code).toBe('ERR_JOURNAL_WRITE');
    const { entries } = readJournal(await readFile(path));
    expect(entries.length).toBeGreaterThanOrEqual(written);
    expect(written).toBeGreaterThan(0);
  });
});

test('passwords are kept newest first, for their owner only, and survive a torn line', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'passwords.jsonl');
    const store = openPasswordsFile(path);
    const password = (text: string, state: 'pending' | 'set') => ({
      name: 'admin',
      password: Secret.fromText(text),
      state,
    });
    const texts = async (serial: string) =>
      (await store.get(serial)).map((stored) => stored.password.revealText());
    expect(await texts('A')).toEqual([]);
    await store.put('A', password('one', 'set'));
    await store.put('B', password('other', 'set'));
    await store.put('a', password('two', 'pending'));
    expect(await texts('A')).toEqual(['two', 'one']);
    await store.put('A', password('two', 'set'));
    expect(await texts('A')).toEqual(['two']);
    await writeFile(path, `${await readFile(path, 'utf8')}{"serial":"A","pass`);
    expect(await texts('A')).toEqual(['two']);
    await store.put('C', password('third', 'set'));
    expect([await texts('C'), await texts('A')]).toEqual([['third'], ['two']]);
    expect((await stat(path)).mode & 0o077).toBe(0);
    await chmod(path, 0o644);
    await expect(store.get('A')).rejects.toMatchObject({
      code: 'ERR_PASSWORDS_FILE',
      remedy: expect.stringContaining('chmod 600'),
    });
  });
});

test('runs that share a passwords file lose none of each other', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'passwords.jsonl');
    const put = async (writer: number, count: number): Promise<void> => {
      // A store of its own for each line, as another process has.
      for (let index = 0; index < count; index += 1) {
        const password = Secret.fromText(`p${writer}-${index}`);
        await openPasswordsFile(path).put(`S${writer}-${index}`, { name: 'admin', password, state: 'set' });
      }
    };
    await writeFile(path, '{"serial":"torn', { mode: 0o600 });
    await Promise.all(Array.from({ length: 8 }, (_, writer) => put(writer, 25)));
    const store = openPasswordsFile(path);
    for (let writer = 0; writer < 8; writer += 1) {
      for (let index = 0; index < 25; index += 1) {
        const [stored] = await store.get(`S${writer}-${index}`);
        expect(stored?.password.revealText()).toBe(`p${writer}-${index}`);
      }
    }
  });
});

test('a passwords file that cannot be read never shows what it holds', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'passwords.jsonl');
    await writeFile(path, 'hunter2 is no JSON\n', { mode: 0o600 });
    await expect(openPasswordsFile(path).get('A')).rejects.toMatchObject({
      code: 'ERR_PASSWORDS_FILE',
      message: expect.not.stringContaining('hunter2'),
    });
  });
});
