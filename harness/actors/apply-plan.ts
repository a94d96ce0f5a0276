/**
 * Applies a plan to a site of another process, and kills itself where it is told to: after a line of the journal is on
 * the disk, or while a request is on its way. `APPLY_TASK` is a JSON file with an {@link ApplyTask}.
 *
 * Prints one JSON line with the report's totals and how many lines and requests there were.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Secret } from '@endorse/interface';
import type { Journal } from '@endorse/provisioning-utility';
import { openJournal, openPasswordsFile, parsePlan } from '@endorse/provisioning-utility';
import { openPinsFile } from '@endorse/thingspro-edge';
import type { SiteAccess } from '../gateways/provision-site.ts';
import { createSiteOperator } from '../gateways/provision-site.ts';

/** What to do; secrets are in files of their own. */
export interface ApplyTask {
  readonly site: Omit<SiteAccess, 'serviceConnectionString'>;
  readonly connectionStringFile: string;
  readonly planFile: string;
  readonly journalFile: string;
  readonly pinsFile: string;
  readonly passwordsFile: string;
  readonly resume: boolean;
  /** Dies when so many lines were written, or so many requests sent; absent: lives. */
  readonly killAt?: { readonly line?: number; readonly request?: number };
}

const task = JSON.parse(readFileSync(process.env['APPLY_TASK'] ?? '', 'utf8')) as ApplyTask;
const counted = { line: 0, request: 0 };

function count(what: 'line' | 'request'): void {
  counted[what] += 1;
  if (counted[what] === task.killAt?.[what]) process.kill(process.pid, 'SIGKILL');
}

subscribe('undici:client:sendHeaders', () => count('request'));

const plan = parsePlan(readFileSync(task.planFile, 'utf8'));
const serviceConnectionString = Secret.fromText(readFileSync(task.connectionStringFile, 'utf8').trim());
const operator = createSiteOperator(
  { ...task.site, serviceConnectionString },
  {
    pins: openPinsFile(task.pinsFile),
    passwords: openPasswordsFile(task.passwordsFile),
    probe: false,
  },
);
const file = await openJournal(task.journalFile, { resume: task.resume, planDigest: plan.digest });
const journal: Journal = {
  earlier: file.earlier,
  append: async (entry) => {
    await file.append(entry);
    count('line');
  },
};
try {
  const { totals } = await operator.apply(plan, { journal });
  process.stdout.write(`${JSON.stringify({ totals, counted })}\n`);
} finally {
  await file.close();
  await operator[Symbol.asyncDispose]();
}
