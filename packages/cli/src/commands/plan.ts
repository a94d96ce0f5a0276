import type { ExitCode } from '../command/command.ts';
import type { ProvisioningPlan } from '@endorse/provisioning-utility';
import { defineCommand, type Command } from '../command/command.ts';
import { LiveView, progressBar } from '../output/live-view.ts';
import { openPorts, readCredentials } from '../provisioning/gateway-access.ts';
import { runEnvironment, runOptions } from '../provisioning/run-options.ts';
import { openEnrollments, readServiceAccess } from '../provisioning/service-connection.ts';
import { readOptionFile } from './read-file.ts';

/** `endorse plan`: says what apply is going to do to each gateway. */
export const planCommand: Command = defineCommand({
  path: ['plan'],
  summary: 'say what is going to be done to each gateway, without doing it',
  description: [
    'Signs in to every gateway of the inventory, reads its identity, endorsement key and settings, looks at the service, and writes down step by step what has to change. Nothing is written, on no gateway and not at the service; a gateway seen for the first time is pinned, if --trust says so.',
    'Devices that cannot or must not be provisioned are in the plan with their reason: two that claim one serial, one whose key is enrolled for another registration, one that does not let us in. Compare the fingerprints with the gateways before you apply.',
    'The job says what gateways shall become; it is YAML or JSON and holds no secret. Without one, gateways are enrolled, told where to register, and verified.',
  ],
  options: {
    inventory: {
      type: 'string',
      value: 'FILE',
      required: true,
      summary: 'gateways: .csv, .json, .jsonl or .yaml',
    },
    job: { type: 'string', value: 'FILE', summary: 'what they shall become: YAML or JSON' },
    out: { type: 'string', value: 'FILE', default: 'plan.json', summary: 'where the plan goes' },
    'id-scope': {
      type: 'string',
      value: 'SCOPE',
      summary: 'ID scope of the DPS; without it gateways are only enrolled',
    },
    'global-endpoint': {
      type: 'string',
      value: 'HOST',
      summary: 'device endpoint, if it is not the global one',
    },
    details: { type: 'boolean', summary: 'show every step of every gateway' },
    ...runOptions,
  },
  environment: runEnvironment,
  examples: [
    {
      line: 'endorse plan --inventory gateways.csv --job job.yaml --factory-password-file factory.txt',
      says: 'new gateways',
    },
    {
      line: 'endorse plan --inventory gateways.csv --id-scope 0ne000A247E --connection-string-prompt --password-prompt',
      says: 'asking for the secrets',
    },
  ],
  exitCodes: {
    0: 'every gateway is ready, or skipped',
    1: 'some are blocked or failed',
    3: 'some are in conflict',
  },
  async run(values, context) {
    const { findIdScopeWarning, formatPlan, makePlan, readJob, readJobService, renderPlan } =
      await import('@endorse/provisioning-utility');
    const { readInventoryFile, writeWhole } = await import('../provisioning/files.ts');
    const inventory = readInventoryFile(values.inventory);
    const jobText = values.job === undefined ? '' : readOptionFile('job', values.job);
    const access = await readServiceAccess(values, readJobService(jobText), context);
    const job = readJob(jobText, {
      endpoint: access.endpoint,
      policyName: access.policyName,
      idScope: values['id-scope'],
      globalEndpoint: values['global-endpoint'],
    });
    const credentials = await readCredentials(values, context);
    const output = context.output.forReader();
    const warning = job.writeBack === undefined ? undefined : findIdScopeWarning(job.writeBack.idScope);
    if (warning !== undefined) output.diagnostic(`warning: ${warning}`);
    let done = 0;
    const view = new LiveView(output.screen, () => [
      `${progressBar(done, inventory.length, 30)}  looking at gateways`,
    ]);
    await using enrollments = await openEnrollments(access, values.ca, context);
    const ports = await openPorts(values, enrollments, context);
    view.start();
    let plan: ProvisioningPlan;
    try {
      plan = await makePlan({
        job,
        inventory,
        ports,
        credentials,
        secrets: [access.policyKey],
        limits: { concurrency: values.concurrency, cloudCallsPerMinute: values['calls-per-minute'] },
        signal: context.signal,
        onDevice: ({ key, verdict, problem }) => {
          done += 1;
          output.event({
            event: 'device-planned',
            device: key,
            verdict,
            ...(problem === undefined ? {} : { problem }),
          });
        },
      });
    } finally {
      view.stop();
    }
    await writeWhole('out', values.out, formatPlan(plan));
    output.event({ event: 'plan-made', digest: plan.digest, file: values.out, devices: plan.devices });
    output.text(renderPlan(plan, values.details ? 'details' : 'table'));
    output.result(`The plan is in ${values.out}. Look at it, then: endorse apply --plan ${values.out}`);
    return exitCodeOfPlan(plan);
  },
});

function exitCodeOfPlan({ devices }: ProvisioningPlan): ExitCode {
  if (devices.some(({ verdict }) => verdict === 'conflict')) return 3;
  return devices.every(({ verdict }) => verdict === 'ready' || verdict === 'skipped') ? 0 : 1;
}
