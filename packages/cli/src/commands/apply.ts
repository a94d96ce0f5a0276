import type {
  Journal,
  ProvisioningPlan,
  ProvisioningReport,
  ReportFormat,
} from '@endorse/provisioning-utility';
import type { ExitCode } from '../command/command.ts';
import { defineCommand, type Command } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { LiveView } from '../output/live-view.ts';
import { openPorts, readCredentials } from '../provisioning/gateway-access.ts';
import { runEnvironment, runOptions } from '../provisioning/run-options.ts';
import { openEnrollments, readServiceAccess } from '../provisioning/service-connection.ts';

/** `endorse apply`: carries a plan out. */
export const applyCommand: Command = defineCommand({
  path: ['apply'],
  summary: 'carry a plan out on every gateway',
  description: [
    'Goes through the steps of the plan: enrolls, tells each gateway where to register, configures it, waits until it is assigned, closes doors last. Every step reads before it writes: what is as it shall be is left alone, and what is neither that nor as the plan saw it is refused.',
    'Each write is in the journal before it is made and after. After Ctrl-C, or a crash, --resume goes on where it ended. A first Ctrl-C lets steps finish and signs out; a second one ends at once.',
  ],
  options: {
    plan: { type: 'string', value: 'FILE', default: 'plan.json', summary: 'the plan' },
    journal: { type: 'string', value: 'FILE', summary: 'where it is written down; default beside the plan' },
    resume: { type: 'boolean', summary: 'go on with the journal of a run that was interrupted' },
    report: { type: 'strings', value: 'FILE', summary: 'write a report: .json, .xml (JUnit), .csv or .md' },
    'max-failures': {
      type: 'integer',
      value: 'N',
      minimum: 1,
      maximum: 1_000_000,
      summary: 'begin no further gateway after so many have failed',
    },
    ...runOptions,
  },
  environment: runEnvironment,
  examples: [
    {
      line: 'endorse apply --plan plan.json --factory-password-file factory.txt --report run.md',
      says: 'what plan said',
    },
    {
      line: 'endorse apply --plan plan.json --resume --password-prompt',
      says: 'go on after an interruption',
    },
  ],
  exitCodes: { 0: 'every gateway is done, pending or skipped', 1: 'some failed', 3: 'some are in conflict' },
  async run(values, context) {
    const { applyPlan, openJournal, renderReport } = await import('@endorse/provisioning-utility');
    const { readPlanFile, writeWhole } = await import('../provisioning/files.ts');
    const { RunView } = await import('../provisioning/run-view.ts');
    const plan = readPlanFile(values.plan);
    const reports = values.report.map((path) => ({ path, format: reportFormatOf(path) }));
    const access = await readServiceAccess(values, plan.job.service, context);
    requireSameService(plan, access);
    const credentials = await readCredentials(values, context);
    const output = context.output.forReader();
    const runView = new RunView(plan);
    const view = new LiveView(output.screen, (columns, rows) => runView.render(columns, rows));
    const path = values.journal ?? `${values.plan.replace(/\.json$/, '')}.journal.jsonl`;
    await using journal = await openJournal(path, { resume: values.resume, planDigest: plan.digest });
    await using enrollments = await openEnrollments(access, values.ca, context);
    const ports = await openPorts(values, enrollments, context);
    output.progress(describeStart(plan, journal, path));
    view.start();
    let report: ProvisioningReport;
    try {
      report = await applyPlan({
        plan,
        journal,
        ports,
        credentials,
        secrets: [access.policyKey],
        limits: { concurrency: values.concurrency, cloudCallsPerMinute: values['calls-per-minute'] },
        maxFailures: values['max-failures'],
        stop: context.signal,
        onEntry: (entry) => {
          output.event({ ...entry });
          const line = runView.accept(entry);
          if (line === undefined) return;
          view.pause();
          output.progress(line);
        },
      });
    } finally {
      view.stop();
    }
    for (const { path: file, format } of reports)
      await writeWhole('report', file, renderReport(report, format));
    output.event({ event: 'report', report });
    output.text(renderReport(report, 'table'));
    if (!context.signal.aborted) return exitCodeOfReport(report);
    output.diagnostic(
      `interrupted; go on with: endorse apply --plan ${values.plan} --journal ${path} --resume`,
    );
    return 130;
  },
});

/** The key given belongs to one service, the plan to one as well. */
function requireSameService({ job }: ProvisioningPlan, { endpoint }: { readonly endpoint: string }): void {
  if (endpoint === job.service.endpoint) return;
  throw new UsageError(`the plan is for ${job.service.endpoint}, and the connection string for ${endpoint}`, {
    remedy: 'Give the connection string the plan was made with, or make a plan for the other service.',
  });
}

function describeStart({ devices }: ProvisioningPlan, { earlier }: Journal, path: string): string {
  const ready = devices.filter(({ verdict }) => verdict === 'ready').length;
  const how = earlier.length === 0 ? 'journal in' : 'resuming';
  return `${devices.length} devices, ${ready} ready; ${how} ${path}`;
}

function reportFormatOf(path: string): ReportFormat {
  const ending = /\.(json|xml|csv|md)$/i.exec(path)?.[1]?.toLowerCase();
  switch (ending) {
    case 'json':
    case 'csv':
      return ending;
    case 'xml':
      return 'junit';
    case 'md':
      return 'markdown';
    default:
      throw new UsageError(`--report: ${path} ends neither in .json nor in .xml, .csv or .md`);
  }
}

/** The exit code that a report comes to. */
export function exitCodeOfReport({ totals }: ProvisioningReport): ExitCode {
  if (totals.failed + totals.blocked + totals.interrupted + totals['not-started'] > 0) return 1;
  return totals.conflict > 0 ? 3 : 0;
}
