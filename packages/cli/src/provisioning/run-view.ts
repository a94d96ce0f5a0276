/** What a terminal shows while a plan is made or applied: a bar, counts, and the devices that are worked on. */
import type { DeviceOutcome, JournalEntry, ProvisioningPlan } from '@endorse/provisioning-utility';
import { describeTotals, deviceOutcomes } from '@endorse/provisioning-utility';
import { progressBar } from '../output/live-view.ts';

const barWidth = 30;

/** State of the view of an apply. Takes journal entries, renders lines. */
export class RunView {
  readonly #total: number;
  readonly #names: ReadonlyMap<string, string>;
  readonly #active = new Map<string, string>();
  readonly #outcomes = new Map<string, DeviceOutcome>();

  constructor(plan: ProvisioningPlan) {
    this.#total = plan.devices.length;
    this.#names = new Map(plan.devices.map(({ key, inventory }) => [key, inventory.serial]));
  }

  /** Takes an entry; returns a line to keep on the screen when a device has ended. */
  accept(entry: JournalEntry): string | undefined {
    if (!('device' in entry)) return undefined;
    const { device } = entry;
    switch (entry.event) {
      case 'device-started':
        this.#active.set(device, 'connecting');
        return undefined;
      case 'step-started':
        this.#active.set(device, entry.attempt > 1 ? `${entry.step}, attempt ${entry.attempt}` : entry.step);
        return undefined;
      case 'write-started':
        this.#active.set(device, entry.what);
        return undefined;
      case 'step-failed':
      case 'step-finished':
        return undefined;
      case 'device-finished': {
        this.#active.delete(device);
        this.#outcomes.set(device, entry.outcome);
        const { problem } = entry;
        if (problem === undefined) return `${this.#name(device)}  ${entry.outcome}`;
        const remedy = problem.remedy === undefined ? '' : `\n  ${problem.remedy}`;
        return `${this.#name(device)}  ${entry.outcome}  ${problem.message} [${problem.code}]${remedy}`;
      }
      default:
        return entry satisfies never;
    }
  }

  /** The lines of the moment. */
  render(_columns: number, rows: number): readonly string[] {
    const room = Math.max(1, rows - 4);
    const active = [...this.#active]
      .slice(0, room)
      .map(([device, what]) => `  ${this.#name(device).padEnd(16)} ${what}`);
    const hidden = this.#active.size - active.length;
    return [
      ...active,
      ...(hidden > 0 ? [`  and ${hidden} more`] : []),
      `${progressBar(this.#outcomes.size, this.#total, barWidth)}  ${describeTotals(this.#totals())}`,
    ];
  }

  #totals(): Readonly<Record<DeviceOutcome, number>> {
    const ended = [...this.#outcomes.values()];
    const counts = deviceOutcomes.map((outcome) => [
      outcome,
      ended.filter((each) => each === outcome).length,
    ]);
    return Object.fromEntries(counts) as Record<DeviceOutcome, number>;
  }

  #name(device: string): string {
    return (this.#names.get(device) ?? device).replaceAll(/\p{C}+/gu, ' ');
  }
}
