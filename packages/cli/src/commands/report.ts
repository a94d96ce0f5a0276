import { defineCommand, type Command } from '../command/command.ts';
import { exitCodeOfReport } from './apply.ts';

/** `endorse report`: renders what a run came to. */
export const reportCommand: Command = defineCommand({
  path: ['report'],
  summary: 'report what a run came to',
  description: [
    'Reads a plan and the journal of its run, and says how every gateway ended: provisioned, unchanged, pending, skipped, failed, conflict, blocked, interrupted or not started. The run may be over, interrupted, or still going on; nothing is asked of any device.',
  ],
  options: {
    plan: { type: 'string', value: 'FILE', default: 'plan.json', summary: 'the plan of the run' },
    journal: { type: 'string', value: 'FILE', summary: 'its journal; default beside the plan' },
    format: {
      type: 'string',
      value: 'FORMAT',
      choices: ['table', 'json', 'junit', 'csv', 'markdown'],
      default: 'table',
      summary: 'how it is rendered',
    },
    out: { type: 'string', value: 'FILE', summary: 'write it to a file instead of standard output' },
  },
  examples: [
    { line: 'endorse report --plan plan.json', says: 'a table' },
    { line: 'endorse report --plan plan.json --format junit --out run.xml', says: 'for a build server' },
  ],
  exitCodes: {
    0: 'every gateway is done, pending or skipped',
    1: 'some failed, or are not done',
    3: 'some are in conflict',
  },
  async run(values, { output }) {
    const { createReport, readJournal, renderReport } = await import('@endorse/provisioning-utility');
    const { readBytes, readPlanFile, writeWhole } = await import('../provisioning/files.ts');
    const plan = readPlanFile(values.plan);
    const path = values.journal ?? `${values.plan.replace(/\.json$/, '')}.journal.jsonl`;
    const { entries } = readJournal(readBytes('journal', path));
    const report = createReport(plan, entries);
    const text = renderReport(report, values.format as Parameters<typeof renderReport>[1]);
    output.event({ event: 'report', report });
    if (values.out === undefined) output.text(text);
    else await writeWhole('out', values.out, text);
    return exitCodeOfReport(report);
  },
});
