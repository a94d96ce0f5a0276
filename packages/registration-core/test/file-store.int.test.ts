import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileStore, ensureProvisioned } from '@endorse/registration-core/node';
import { createScriptedTransport } from '@endorse/testkit';
import { describe, expect, it } from 'vitest';
import { createFakeTpm } from './support/fake-identities.ts';
import { assigned, challenge, registerWith, target } from './support/scripts.ts';

const never = new AbortController().signal;

async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'endorse-state-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

describe('a file store', () => {
  it('has nothing until it is written to, then exactly that, readable by the owner only', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'made', 'for', 'it', 'state.json');
    const store = createFileStore(file);
    expect(await store.read({ signal: never })).toBeUndefined();
    await store.write('first', { signal: never });
    await store.write('zweite Fassung', { signal: never });
    expect(await store.read({ signal: never })).toBe('zweite Fassung');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory.path, 'made', 'for', 'it'))).toEqual(['state.json']);
    expect((await stat(join(directory.path, 'made'))).mode & 0o777).toBe(0o700);
  });

  it('replaces what a crash left half-written, and does not follow a link in its place', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'state.json');
    const victim = join(directory.path, 'victim');
    await writeFile(victim, 'untouched');
    await symlink(victim, `${file}.tmp`);
    await createFileStore(file).write('text', { signal: never });
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect(await readFile(file, 'utf8')).toBe('text');
  });

  it('leaves no temporary file and the old text when it cannot be written', async () => {
    await using directory = await temporaryDirectory();
    // A directory in place of the file: even root cannot rename a file over it.
    const file = join(directory.path, 'state.json');
    await mkdir(join(file, 'full'), { recursive: true });
    const store = createFileStore(file);
    await expect(store.write('text', { signal: never })).rejects.toMatchObject({
      name: 'ProvisioningStateError',
      code: 'ERR_STATE_WRITE',
      remedy: `Make ${directory.path} a directory that this user may write to, on a disk with space left.`,
    });
    expect(await readdir(directory.path)).toEqual(['state.json']);
    await expect(store.read({ signal: never })).rejects.toMatchObject({ code: 'ERR_STATE_READ' });
  });

  it('reads no more of a huge file than it needs to reject it', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'state.json');
    await writeFile(file, 'x'.repeat(3_000_000));
    expect((await createFileStore(file).read({ signal: never }))?.length).toBe(1_048_576);
  });

  it('never shows a reader half of a write', async () => {
    await using directory = await temporaryDirectory();
    const store = createFileStore(join(directory.path, 'state.json'));
    const texts = ['a'.repeat(200_000), 'b'.repeat(300_000)];
    await store.write(texts[0] ?? '', { signal: never });
    let writing = true;
    const seen = new Set<string | undefined>();
    const reader = (async () => {
      while (writing) seen.add(await store.read({ signal: never }));
    })();
    for (let round = 0; round < 40; round += 1) await store.write(texts[round % 2] ?? '', { signal: never });
    writing = false;
    await reader;
    expect([...seen].every((text) => text !== undefined && texts.includes(text))).toBe(true);
  });

  it('refuses an empty path', () => {
    expect(() => createFileStore('')).toThrow(expect.objectContaining({ argument: 'stateFile' }));
  });
});

describe('the lock', () => {
  it('is held by one at a time, within a process too', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'state.json');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    const options = { signal: never, limitMs: 10_000 };
    await Promise.all([1, 2, 3].map(() => createFileStore(file).withLock(work, options)));
    expect(most).toBe(1);
  });

  it('is waited for no longer than the limit, and not after an abort', async () => {
    await using directory = await temporaryDirectory();
    const store = createFileStore(join(directory.path, 'state.json'));
    await store.withLock(
      async () => {
        const work = async (): Promise<void> => undefined;
        await expect(store.withLock(work, { signal: never, limitMs: 150 })).rejects.toMatchObject({
          code: 'ERR_STATE_LOCKED',
          retryable: true,
        });
        const controller = new AbortController();
        const waiting = store.withLock(work, { signal: controller.signal, limitMs: 60_000 });
        const reason = new Error('enough');
        controller.abort(reason);
        await expect(waiting).rejects.toBe(reason);
      },
      { signal: never, limitMs: 1000 },
    );
  });

  it('cannot be taken where it cannot be made: nothing is registered', async () => {
    await using directory = await temporaryDirectory();
    const stateFile = join(directory.path, 'state.json');
    await mkdir(`${stateFile}.lock`);
    const transport = createScriptedTransport([]);
    const booting = ensureProvisioned({ ...target, transport, securityClient: createFakeTpm(), stateFile });
    await expect(booting).rejects.toMatchObject({
      code: 'ERR_STATE_WRITE',
      remedy: `Make ${directory.path} a directory that this user may write to.`,
    });
    expect(transport.calls).toEqual([]);
  });

  it('is not needed by a device that has its assignment', async () => {
    await using directory = await temporaryDirectory();
    const stateFile = join(directory.path, 'state.json');
    const parts = { ...target, securityClient: createFakeTpm(), stateFile };
    const transport = createScriptedTransport([challenge, registerWith(assigned)]);
    await ensureProvisioned({ ...parts, transport });
    await rm(`${stateFile}.lock`);
    const device = await ensureProvisioned({ ...parts, transport });
    expect(device.source).toBe('stored');
    expect(await readdir(directory.path)).toEqual(['state.json']);
  });
});

describe('processes', () => {
  it('that boot at once: one registers, all have the same assignment', async () => {
    await using directory = await temporaryDirectory();
    const { stateFile, journal } = filesIn(directory.path);
    const outputs = await Promise.all(
      Array.from({ length: 3 }, () => output(start(stateFile, journal, 'register'))),
    );
    const devices = outputs.map(
      (text) => JSON.parse(text) as { readonly source: string; readonly deviceId: string },
    );
    expect(devices.map(({ source }) => source).toSorted()).toEqual(['registered', 'stored', 'stored']);
    expect(new Set(devices.map(({ deviceId }) => deviceId)).size).toBe(1);
    expect((await readFile(journal, 'utf8')).trim().split('\n')).toHaveLength(1);
  });

  it('that are killed while they register let go of the lock, and the next one registers', async () => {
    await using directory = await temporaryDirectory();
    const { stateFile, journal } = filesIn(directory.path);
    const stuck = start(stateFile, journal, 'hang');
    await untilWritten(journal);
    stuck.kill('SIGKILL');
    await once(stuck, 'exit');
    const transport = createScriptedTransport([challenge, registerWith(assigned)]);
    const device = await ensureProvisioned({
      ...target,
      transport,
      securityClient: createFakeTpm(),
      stateFile,
      deadlineMs: 5000,
    });
    expect(device).toMatchObject({ source: 'registered', reason: 'absent' });
  });
});

function filesIn(directory: string): { readonly stateFile: string; readonly journal: string } {
  return { stateFile: join(directory, 'state.json'), journal: join(directory, 'journal') };
}

function start(...args: string[]): ChildProcessWithoutNullStreams {
  const script = fileURLToPath(new URL('support/boot-child.ts', import.meta.url));
  return spawn(process.execPath, ['--conditions=@endorse/source', script, ...args]);
}

async function output(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the child ended with ${code}: ${errors}`);
  return text;
}

async function untilWritten(file: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${file} was not written`);
}
