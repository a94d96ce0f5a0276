/** A live run, from the command to the report, with an emulator of another process in the part of the real service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../live/compare.ts';
import { createLiveId } from '../support/service/live-ids.ts';
import type { ActingService } from '../support/service/acting-service.ts';
import { startActingService } from '../support/service/acting-service.ts';
import { connectService } from '../support/service/service-under-test.ts';
import type { ProgramRun } from '../support/run-program.ts';
import { runProgram } from '../support/run-program.ts';

const program = new URL('../live/main.ts', import.meta.url);
const timeoutMs = 90_000;
/** As the reference of the report is set. */
const asKnown = ['--retry-after', '3', '--assigning-ms', '2500'];
const hourMs = 3_600_000;

function runLive(
  service: Pick<ActingService, 'environment'>,
  ...args: readonly string[]
): Promise<ProgramRun> {
  return runProgram(program, args, service.environment, timeoutMs);
}

async function enrolledAt({ address }: ActingService): Promise<readonly string[]> {
  await using service = connectService(address);
  const registrationIds: string[] = [];
  for await (const { registrationId } of service.client.enrollments.query())
    registrationIds.push(registrationId);
  return registrationIds;
}

/** Enrolls devices that nobody removes. */
async function leaveBehind({ address }: ActingService, registrationIds: readonly string[]): Promise<void> {
  const { client } = connectService(address);
  for (const registrationId of registrationIds) {
    await client.enrollments.create({ registrationId, attestation: { type: 'symmetricKey' } });
  }
  await client.close();
}

async function makeDirectory(resources: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-live-'));
  resources.defer(() => rm(directory, { recursive: true }));
  return directory;
}

async function readFindings(directory: string): Promise<readonly Finding[]> {
  const text = await readFile(join(directory, 'live-differences.json'), 'utf8');
  return (JSON.parse(text) as { readonly findings: readonly Finding[] }).findings;
}

describe.concurrent('a live run', () => {
  test(
    'finds no difference in a service that is an emulator, and says nothing about whose it is',
    { timeout: timeoutMs },
    async () => {
      await using resources = new AsyncDisposableStack();
      const service = resources.use(await startActingService(asKnown));
      const directory = await makeDirectory(resources);
      const run = await runLive(service, 'differences', '--reports', directory);
      const findings = await readFindings(directory);
      expect(findings.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
      expect(findings.length).toBeGreaterThan(40);
      expect(findings.every(({ agreeing }) => agreeing > 0)).toBe(true);
      expect(run.stdout).toContain(`${findings.length} assumptions of the emulator hold, 0 do not`);
      expect(run.exitCode, run.stderr).toBe(0);
      expect(await enrolledAt(service)).toEqual([]);

      const { idScope, endpoints, serviceConnectionString } = service.address;
      const key = /SharedAccessKey=([^;]+)/.exec(serviceConnectionString.revealText())?.[1] ?? '';
      expect(key).toHaveLength(88);
      for (const file of ['live-differences.md', 'live-differences.json']) {
        const text = await readFile(join(directory, file), 'utf8');
        for (const secret of [
          key,
          idScope,
          new URL(endpoints.http).host,
          'endorse-live-1',
          'SharedAccessSignature',
        ]) {
          expect(text).not.toContain(secret);
        }
        // Neither a wrapped key nor one in clear: no run of base64 is longer than a word.
        expect(text).not.toMatch(/[A-Za-z0-9+/]{40}/);
      }
    },
  );

  test('finds exactly what is different in a service', { timeout: timeoutMs }, async () => {
    await using resources = new AsyncDisposableStack();
    const directory = await makeDirectory(resources);
    const seedFile = join(directory, 'seed.json');
    const fault = { kind: 'status', status: 503, message: 'Not now.' };
    await writeFile(seedFile, JSON.stringify({ faults: [{ operation: 'look-up-state', fault }] }));
    const args = ['--retry-after', '2', '--assigning-ms', '2500', '--seed-file', seedFile];
    const service = resources.use(await startActingService(args));
    const names = ['by a symmetric key', 'look up', 'MQTT', 'token', 'service API'];
    const run = await runLive(service, 'differences', ...names, '--reports', directory);
    const differing = (await readFindings(directory)).filter(({ verdict }) => verdict !== 'holds');

    const lookUp = differing.find(({ name }) => name === 'HTTPS: look up the state');
    expect(lookUp?.differences).toContainEqual({ fact: 'status', emulator: '200', service: '503' });
    expect(lookUp?.differences).toContainEqual({ fact: 'body.message', service: '"Not now."' });
    const pauses = differing
      .filter((finding) => finding !== lookUp)
      .flatMap(({ differences }) => differences);
    // Two answers that ask for a pause over each carrier, and AMQP spells it twice.
    expect(pauses).toHaveLength(8);
    for (const { fact, emulator, service: other } of pauses) {
      expect(fact).toMatch(/retry-after|topic/i);
      expect(other).toBe(emulator?.replace(/3$/, '2'));
    }
    const report = await readFile(join(directory, 'live-differences.md'), 'utf8');
    expect(report).toContain('| accepted: header retry-after | 3 | 2 |');
    expect(report).toContain('| status | 200 | 503 |');
    expect(run.exitCode, 'a difference is no failure').toBe(0);
    expect(await enrolledAt(service)).toEqual([]);
  });

  test(
    'runs the suites, and removes leftovers of its own kind that are older than an hour',
    { timeout: timeoutMs },
    async () => {
      await using service = await startActingService();
      const [old, recent] = [createLiveId(Date.now() - 2 * hourMs), createLiveId(Date.now() - hourMs / 2)];
      await leaveBehind(service, [old, recent, 'somebody-s']);
      const run = await runLive(service, 'suites', 'life-cycle');
      expect(run.stdout).toContain('removed 1 enrollments');
      expect(run.stdout).toMatch(/1 passed/);
      expect(run.exitCode, run.stderr).toBe(0);
      expect([...(await enrolledAt(service))].toSorted()).toEqual([recent, 'somebody-s'].toSorted());

      expect((await runLive(service, 'sweep')).exitCode).toBe(0);
      expect(await enrolledAt(service)).toEqual(['somebody-s']);
    },
  );

  test('fails when a suite fails, and leaves nothing behind', { timeout: timeoutMs }, async () => {
    await using resources = new AsyncDisposableStack();
    const directory = await makeDirectory(resources);
    const seedFile = join(directory, 'seed.json');
    const fault = { kind: 'status', status: 400 };
    await writeFile(seedFile, JSON.stringify({ faults: [{ operation: 'query-operation', fault }] }));
    const service = resources.use(await startActingService(['--seed-file', seedFile]));
    const run = await runLive(service, 'suites', 'life-cycle');
    expect(run.stdout).toMatch(/1 failed/);
    expect(run.exitCode).toBe(1);
    expect(await enrolledAt(service)).toEqual([]);
  });

  test('that is killed leaves what the next sweep removes', { timeout: timeoutMs }, async () => {
    await using service = await startActingService(asKnown);
    const child = spawn(
      process.execPath,
      ['--conditions=@endorse/source', fileURLToPath(program), 'suites', 'life-cycle'],
      {
        env: { ...process.env, NODE_OPTIONS: '', ...service.environment },
        stdio: 'ignore',
        // A group of its own, so that all its processes die at once.
        detached: true,
      },
    );
    const closed = once(child, 'close');
    await expect
      .poll(() => enrolledAt(service), { timeout: 30_000 })
      .toEqual([expect.stringMatching(/^endorse-live-/)]);
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await closed;
    expect(await enrolledAt(service)).toHaveLength(1);
    const run = await runLive(service, 'sweep');
    expect(run.stdout).toContain('removed 1 enrollments');
    expect(await enrolledAt(service)).toEqual([]);
  });
});

test('a live run tells of a service that is away, and begins nothing', { timeout: timeoutMs }, async () => {
  await using resources = new AsyncDisposableStack();
  const reports = await makeDirectory(resources);
  // Nobody listens on port 1.
  const environment = {
    CI: '',
    ENDORSE_LIVE_CONNECTION_STRING: 'HostName=localhost:1;SharedAccessKeyName=owner;SharedAccessKey=AAAA',
    ENDORSE_LIVE_ID_SCOPE: '0ne00ABCDEF',
  };
  const run = await runLive({ environment }, 'differences', '--reports', reports);
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toMatch(/^cannot connect to localhost:1: .*\[ERR_TRANSPORT_CONNECT\]$/m);
  expect(run.stderr).not.toMatch(/^ +at /m);
  expect(await readdir(reports)).toEqual([]);
});

test.each([
  ['nothing is set', {}, /ENDORSE_LIVE_CONNECTION_STRING and ENDORSE_LIVE_ID_SCOPE say which service/],
  ['half is set', { ENDORSE_LIVE_ID_SCOPE: '0ne00ABCDEF' }, /ENDORSE_LIVE_CONNECTION_STRING is missing/],
  ['it is CI', { CI: 'true', ENDORSE_LIVE_ID_SCOPE: '0ne00ABCDEF' }, /CI is set/],
])('a live run does nothing when %s', async (_what, environment, message) => {
  const run = await runLive({ environment: { CI: '', ...environment } });
  expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  expect(run.stderr).toMatch(message);
});
