/**
 * Defects of the official Azure IoT SDK for Node.js, side by side: in the same situation, at the same emulator and on the
 * same TPM, their client hangs, crashes, gives up or goes on, and ours ends as documented. The table is
 * `support/official-defects.ts`. Theirs are failures that are expected and have to stay: a test turns red when one is
 * mended, so that nobody is told of defects that are gone.
 */
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { OfficialDefect } from '../support/official-defects.ts';
import { observedVersions, officialDefects } from '../support/official-defects.ts';
import type { DefectStand } from './defect-stand.ts';
import { startDefectStand } from './defect-stand.ts';

/** Less than the deadline of a registration, which must not be what ends it; a busy machine has room. */
const inTimeMs = 10_000;

test('the table was observed with the versions that are installed', () => {
  const require = createRequire(import.meta.url);
  const installed = Object.keys(observedVersions).map((name) => {
    const { version } = require(`${name}/package.json`) as { readonly version: string };
    return [name, version];
  });
  expect(Object.fromEntries(installed), 'when every row holds with the new version, write it there').toEqual(
    observedVersions,
  );
});

describe.concurrent('theirs and ours', () => {
  test.each(officialDefects.map((defect) => ({ ...defect, defect })))(
    '$name, $attestation over $carrier',
    async ({ defect }) => {
      await using stand = await startDefectStand(defect);
      await expectTheirs(defect, stand);
      await expectOurs(defect, stand);
    },
  );
});

async function expectTheirs(defect: OfficialDefect, stand: DefectStand): Promise<void> {
  const { crash, lines, requests, sessionsLeft = 0, does } = defect.theirs;
  const theirs = await stand.runTheirs();
  const ended = {
    // Killed for not ending of its own accord, a process has no exit code.
    exitCode: theirs.run.exitCode,
    lines: theirs.run.lines,
    sessionsLeft: theirs.tpm.after.loadedSessions.length - theirs.tpm.before.loadedSessions.length,
    requests: requests === undefined ? undefined : theirs.requests,
  };
  const message = `"${defect.name}" over ${defect.carrier}: ${defect.origin} no longer ${does} as described. If it is mended, strike the row from harness/support/official-defects.ts.\n${theirs.run.errors}`;
  expect(ended, message).toMatchObject({
    exitCode: crash === undefined ? 0 : 1,
    lines,
    sessionsLeft,
    requests,
  });
  if (crash !== undefined) {
    const [, error, thrownIn] = uncaught.exec(theirs.run.errors) ?? [];
    expect({ error, thrownIn }, message).toEqual(crash);
  }
}

/** The class of an uncaught exception and the package that the first frame of its stack outside of Node.js is in. */
const uncaught =
  /^(\w+): .*\n(?: +at .*\((?:<anonymous>|node:.*)\)\n)* +at .*\/node_modules\/([\w-]+)\/dist\//m;

async function expectOurs({ name, ours }: OfficialDefect, stand: DefectStand): Promise<void> {
  const { outcome, openConnections, tpm, requests, wallMs } = await stand.runOurs();
  expect(outcome, name).toMatchObject(
    ours.code === undefined
      ? { status: 'assigned', ...stand.assignment }
      : { error: { name: expect.any(String) as string, code: ours.code } },
  );
  if (ours.requests !== undefined) expect(requests, name).toBe(ours.requests);
  expect(wallMs, name).toBeGreaterThanOrEqual(ours.atLeastMs ?? 0);
  expect(wallMs, name).toBeLessThan(inTimeMs);
  expect(openConnections, name).toBe(0);
  expect(tpm.after, name).toEqual(tpm.before);
}
