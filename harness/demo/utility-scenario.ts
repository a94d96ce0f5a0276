/** A site of twenty gateways, some of them broken, provisioned as an integrator with a laptop does it. */
import type { InventoryDevice, JournalEntry, ProvisioningReport } from '@endorse/provisioning-utility';
import { describeFleet } from '../gateways/fleet-specs.ts';
import type { SiteOperator } from '../gateways/provision-site.ts';
import { accessTo, createSiteOperator } from '../gateways/provision-site.ts';
import { startSite } from '../gateways/site.ts';
import type { GatewayFault } from '../gateways/spec.ts';
import type { ScenarioOptions } from './scene.ts';
import { Story } from './story.ts';

const count = 20;

/** What is wrong with the last five. */
const faults: Readonly<Record<number, readonly GatewayFault[]>> = {
  15: ['busy'],
  16: ['claimed'],
  17: ['wrong-serial'],
  18: ['malformed-answers'],
  19: ['never-connects'],
};

/** How many of the twenty get to their hub: all but two without a serial number of their own and four broken ones. */
const provisionable = count - 2 - 4;

/** Runs the whole story. Rejects when anything in it goes otherwise than told; leaves nothing running. */
export async function runUtilityScenario({ emit, signal }: ScenarioOptions): Promise<void> {
  const story = new Story(emit);
  await using resources = new AsyncDisposableStack();

  story.step('A site', `${count} gateways as they left the works, some of them broken, and a switch`);
  const site = resources.use(await startSite({ specs: describeFleet({ count, faults, network: [46, 0] }) }));
  await site.fleet.keysReady();
  story.happened(
    'gateways switched on',
    `UDP ${site.discoveryPort}, HTTPS and a TPM each, on addresses of their own`,
  );
  story.happened('service listens', `${site.emulator.endpoints.http}, ID scope ${site.emulator.idScope}`);
  const operator = resources.use(
    createSiteOperator(accessTo(site), { job: { verify: { timeoutMs: 5_000, pauseMs: 250 } } }),
  );

  story.step('Discover', 'one broadcast; what answers is a hint, and nothing secret was sent');
  const inventory = await operator.discover(signal);
  tellInventory(story, inventory);

  story.step('Plan', 'signs in, reads, compares, and writes nothing');
  const plan = await operator.plan(inventory, { signal });
  emit({ event: 'plan', plan });
  story.happened('planned', `${plan.devices.length} devices`);

  story.step('Apply', 'enrollment first, then the gateway, the doors last; every step is in the journal');
  const report = await applyAndTell(story, operator, { plan, signal });
  emit({ event: 'report', report });
  requireTotals(report, { provisioned: provisionable, pending: 1 });

  story.step('Apply again', 'a new plan of the same site');
  const again = await operator.apply(await operator.plan(inventory, { signal }), { signal });
  requireTotals(again, { provisioned: 0, unchanged: provisionable });
  story.happened('nothing was written', `${again.totals.unchanged} gateways are as they shall be`);
}

function tellInventory(story: Story, inventory: readonly InventoryDevice[]): void {
  story.happened('found', `${inventory.length} devices`);
  for (const { serial, address, model = '', ineligibleFor = [] } of inventory) {
    if (ineligibleFor.length > 0)
      story.fact('left out', `${serial} at ${address}, ${model}: ${ineligibleFor.join(', ')}`);
  }
}

async function applyAndTell(
  story: Story,
  operator: SiteOperator,
  { plan, signal }: { readonly plan: Parameters<SiteOperator['apply']>[0]; readonly signal: AbortSignal },
): Promise<ProvisioningReport> {
  const onEntry = (entry: JournalEntry): void => {
    if (entry.event === 'device-finished') {
      story.happened(entry.outcome, `${entry.device} ${entry.problem?.code ?? ''}`.trim());
    }
  };
  return operator.apply(plan, { signal, onEntry });
}

function requireTotals(report: ProvisioningReport, expected: Partial<ProvisioningReport['totals']>): void {
  for (const [outcome, number] of Object.entries(expected)) {
    const found = report.totals[outcome as keyof ProvisioningReport['totals']];
    if (found !== number) throw new Error(`${found} gateways are ${outcome}, but ${number} should be`);
  }
}
