/**
 * The suites tested on subjects: what is right passes every test, and each thing that is wrong fails the test that
 * is there for it. The subjects run in a vitest of their own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

interface Outcome {
  readonly passed: readonly string[];
  /** Everything that is neither passed nor failed. */
  readonly other: readonly string[];
  readonly failed: readonly string[];
  readonly messages: readonly string[];
}

/** Subjects that keep the contract, and how many tests they pass at least. */
const right: readonly (readonly [string, number])[] = [
  ['Transport v1 compliance: right', 50],
  ['Transport v1 compliance, dropped connections: right', 14],
  ['SecurityClient v1 compliance: right TPM', 40],
  ['SecurityClient v1 compliance: right key', 40],
  ['SecurityClient v1 compliance: right token issuer', 40],
  ['SecurityClient v1 compliance: right X.509', 40],
];

/** Transports that break it, and the test that is there for it. */
const wrongTransports: readonly (readonly [string, string])[] = [
  ['manifest that can be changed', 'manifest › is complete, frozen and stable'],
  ['refusal without a reason', 'manifest › is complete, frozen and stable'],
  ['connects when opened', 'manifest › tpm is either carried or refused before any IO'],
  ['trusts its target', 'manifest › an empty ID scope is refused before any IO'],
  ['wraps the reason of an abort', 'register › rejects with the reason of an aborted signal before any IO'],
  [
    'ignores an abort in flight',
    'queryOperationStatus › rejects promptly with the reason when it is aborted in flight, and lets go of its socket',
  ],
  [
    'leaks the socket of an aborted request',
    'register › rejects promptly with the reason when it is aborted in flight, and lets go of its socket',
  ],
  ['leaks its socket when closed', 'session › leaves no socket and no timer behind'],
  [
    'cannot be closed twice',
    'session › may be closed twice, disposed of, and closed without ever being used',
  ],
  ['says nothing useful after close', 'register › rejects with ERR_SESSION_CLOSED after close, without IO'],
  ['sends a stale token', 'registration with tpm › may be repeated, on the same session and on another'],
  [
    'prints the token',
    'registration with symmetric-key › with a forged token is refused, and the error does not show the token',
  ],
  ['passes system errors on', 'getAuthenticationChallenge › says that a connection was refused'],
  ['leaves a timer', 'session › leaves no socket and no timer behind'],
  [
    'confuses concurrent requests',
    'session › serves concurrent requests, or refuses all but one with ERR_LOCAL_STATE',
  ],
];

/** Transports that break it when a connection is lost, and the test that is there for it. */
const wrongWhenDropped: readonly (readonly [string, string])[] = [
  [
    'takes a loss for the last word',
    'with tpm › register that is dropped before-handling is told as lost and may be repeated',
  ],
  [
    'keeps a lost connection',
    'with symmetric-key › queryOperationStatus that is dropped after-handling is told as lost and may be repeated',
  ],
];

/** Security clients that break it, and the test that is there for it. */
const wrongClients: readonly (readonly [string, string])[] = [
  [
    'forgets its key when an activation fails',
    'activation › of a blob with a changed bit in duplicate fails and keeps the working key',
  ],
  ['signs what fits into a buffer', 'signing › 1025 bytes gives their HMAC-SHA256 under the identity key'],
  [
    'wraps the reason of an abort',
    'every method › rejects with the reason of an aborted signal, and the client goes on',
  ],
  [
    'hands out its own bytes',
    'identity › gives out its public part: the keys of a TPM, the certificate of X.509, nothing of a shared key',
  ],
  [
    'does not look at the blob',
    'activation › of a blob with a changed bit in publicArea fails and keeps the working key',
  ],
  [
    'throws what it comes across',
    'activation › of a blob that has lost its form fails and keeps the working key',
  ],
  ['leaves a listener', 'every method › leaves no listener on the signal'],
  ['leaves a timer', 'disposal › ends running calls and leaves no socket and no timer behind'],
  ['cannot be disposed of', 'disposal › ends the client: twice is once, and every later call is refused'],
  ['makes up its registration id', 'identity › has a registration id that is valid, stable and its own'],
  [
    'commits what it says it aborted',
    'an aborted activation › at 55 percent of its time leaves the key it says',
  ],
  ['issues for one scope', 'an issued token › is for the registration in the ID scope, and verifies'],
  ['tells another life', 'an issued token › expires when it says, and not yet'],
  [
    'hands out its own token',
    'an issued token › belongs to who asked: disposing of it leaves the next one whole',
  ],
  ['pretends to be more', 'identity › has version, kind and exactly the methods of its kind'],
  [
    'shows its key',
    'identity › gives out its public part: the keys of a TPM, the certificate of X.509, nothing of a shared key',
  ],
];

/** Everything of the right subjects, one test of each wrong one: the others might wait for what never comes. */
const selection = [
  ...right.map(([subject]) => `${subject} › `),
  ...wrongTransports.map(([subject, title]) => `Transport v1 compliance: ${subject} › ${title}`),
  ...wrongWhenDropped.map(
    ([subject, title]) => `Transport v1 compliance, dropped connections: ${subject} › ${title}`,
  ),
  ...wrongClients.map(([subject, title]) => `SecurityClient v1 compliance: ${subject} › ${title}`),
]
  .map((name) => `^${name.replaceAll(/[^\w ]/g, '.').replaceAll(' . ', '.{1,3}')}`)
  .join('|');

const outcomes = new Map<string, Outcome>();

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-compliance-'));
  try {
    const file = join(directory, 'report.json');
    const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
    const config = fileURLToPath(new URL('subjects/vitest.config.ts', import.meta.url));
    // Exit code 1: tests of wrong subjects fail, as they should. What matters is in the report.
    await promisify(execFile)(
      process.execPath,
      [
        vitest,
        'run',
        '--config',
        config,
        '--reporter=json',
        `--outputFile=${file}`,
        '--testNamePattern',
        selection,
      ],
      {
        timeout: 110_000,
      },
    ).catch(() => undefined);
    const report = JSON.parse(await readFile(file, 'utf8')) as Report;
    const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    for (const subject of new Set(results.map(({ ancestorTitles }) => ancestorTitles[0] ?? ''))) {
      const own = results.filter(({ ancestorTitles }) => ancestorTitles[0] === subject);
      const titles = (matches: (status: string) => boolean): string[] =>
        own
          .filter(({ status }) => matches(status))
          .map(({ ancestorTitles, title }) => [...ancestorTitles.slice(1), title].join(' › '));
      outcomes.set(subject, {
        passed: titles((status) => status === 'passed'),
        failed: titles((status) => status === 'failed'),
        other: titles((status) => status !== 'passed' && status !== 'failed'),
        messages: own.flatMap(({ failureMessages }) => failureMessages),
      });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 120_000);

describe('a subject that keeps the contract passes every test', () => {
  test.each(right)('%s', (subject, least) => {
    const outcome = outcomes.get(subject);
    expect(outcome?.messages).toEqual([]);
    expect(outcome?.passed.length).toBeGreaterThanOrEqual(least);
    expect(outcome?.other).toEqual([]);
  });
});

describe('a transport that breaks the contract fails the test that is there for it:', () => {
  test.each(wrongTransports)('%s', (subject, title) => {
    expect(outcomes.get(`Transport v1 compliance: ${subject}`)?.failed).toContain(title);
  });
});

describe('a transport that breaks the contract when a connection is lost fails the test that is there for it:', () => {
  test.each(wrongWhenDropped)('%s', (subject, title) => {
    const outcome = outcomes.get(`Transport v1 compliance, dropped connections: ${subject}`);
    expect(outcome?.failed).toContain(title);
  });
});

describe('a security client that breaks the contract fails the test that is there for it:', () => {
  test.each(wrongClients)('%s', (subject, title) => {
    expect(outcomes.get(`SecurityClient v1 compliance: ${subject}`)?.failed).toContain(title);
  });
});
