import type { DiscoverySummary } from '@endorse/discovery';
import type { InventoryFormat } from '@endorse/provisioning-utility';
import { defineCommand, type Command } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { LiveView, progressBar } from '../output/live-view.ts';
import type { Output } from '../output/output.ts';
import { readOptionFile } from './read-file.ts';

/** `endorse discover`: finds gateways on the local network. */
export const discoverCommand: Command = defineCommand({
  path: ['discover'],
  summary: 'find gateways on the local network',
  description: [
    'Asks on every interface by broadcast, listens for five seconds, and lists what answers: serial, address and port of the API, model, and what speaks against provisioning it. Nothing but a probe is sent, and what is answered is a hint: identity is proved later.',
    'The list is the inventory that plan takes. --out writes it as CSV, JSON, JSON lines or YAML, by the ending of the name; devices that must not be provisioned are in it with their reason.',
  ],
  options: {
    port: {
      type: 'integer',
      value: 'N',
      minimum: 1,
      maximum: 65_535,
      default: 40_404,
      summary: 'UDP port of the devices',
    },
    'window-ms': {
      type: 'integer',
      value: 'N',
      minimum: 1,
      maximum: 600_000,
      default: 5000,
      summary: 'how long to listen, in milliseconds',
    },
    interface: {
      type: 'strings',
      value: 'NAME',
      summary: 'interface or local address to ask on; default all',
    },
    loopback: { type: 'boolean', summary: 'ask on loopback too, where simulators are' },
    target: { type: 'strings', value: 'ADDRESS', summary: 'address, address:port or range to ask directly' },
    ipv6: { type: 'boolean', summary: 'ask by IPv6 link-local multicast too' },
    vendor: { type: 'strings', value: 'NAME', summary: 'only devices of this vendor are eligible' },
    model: { type: 'strings', value: 'PATTERN', summary: 'only these models are eligible; * is anything' },
    capability: {
      type: 'strings',
      value: 'NAME',
      summary: 'what an eligible device can do; default tpm and dps',
    },
    expect: {
      type: 'string',
      value: 'FILE',
      summary: 'serials that should be there, one a line; ends early when they are',
    },
    'expect-count': {
      type: 'integer',
      value: 'N',
      minimum: 1,
      maximum: 4096,
      summary: 'end early with so many devices',
    },
    out: { type: 'string', value: 'FILE', summary: 'write the inventory: .csv, .json, .jsonl or .yaml' },
  },
  examples: [
    { line: 'endorse discover --out gateways.csv', says: 'the network this machine is on' },
    {
      line: "endorse discover --model 'AIG-3*' --expect serials.txt",
      says: 'what was delivered, and nothing else',
    },
    { line: 'endorse discover --target 10.1.2.0/28', says: 'behind a router, or from a container' },
  ],
  exitCodes: { 0: 'devices were found', 1: 'none was found, or an expected one is missing' },
  async run(values, context) {
    const { discover } = await import('@endorse/discovery');
    const { inventoryFormatOf, inventoryFromDiscovery, writeInventory } =
      await import('@endorse/provisioning-utility');
    const { writeWhole } = await import('../provisioning/files.ts');
    const output = context.output.forReader();
    const format = values.out === undefined ? undefined : formatOf(values.out, inventoryFormatOf);
    const startedAt = performance.now();
    let found = 0;
    const view = new LiveView(output.screen, () => [
      `${progressBar(Math.min(values['window-ms'], Math.round(performance.now() - startedAt)), values['window-ms'], 30)} ms  ${found} found`,
    ]);
    const run = discover({
      port: values.port,
      windowMs: values['window-ms'],
      interfaces: values.interface.length === 0 ? undefined : values.interface,
      loopback: values.loopback,
      targets: values.target,
      ipv6: values.ipv6,
      eligibility: {
        ...(values.vendor.length === 0 ? {} : { vendors: values.vendor }),
        ...(values.model.length === 0 ? {} : { models: values.model }),
        capabilities: values.capability.length === 0 ? ['tpm', 'dps'] : values.capability,
      },
      expectedSerials: values.expect === undefined ? undefined : readSerials(values.expect),
      expectedCount: values['expect-count'],
      signal: context.signal,
    });
    view.start();
    let summary: DiscoverySummary | undefined;
    try {
      for await (const event of run) {
        output.event({ ...event });
        if (event.event === 'device-found') found += 1;
        if (event.event === 'interface-failed') {
          view.pause();
          output.progress(`${event.interfaceName}: ${event.problem}`);
        }
        if (event.event === 'window-closed') ({ summary } = event);
      }
    } finally {
      view.stop();
    }
    if (summary === undefined) return 1;
    if (values.out !== undefined && format !== undefined) {
      await writeWhole('out', values.out, writeInventory(inventoryFromDiscovery(summary), format));
    }
    await print(summary, values.out, output);
    return summary.devices.length > 0 && summary.missingSerials.length === 0 ? 0 : 1;
  },
});

function formatOf(
  path: string,
  inventoryFormatOf: (fileName: string) => InventoryFormat | undefined,
): InventoryFormat {
  const format = inventoryFormatOf(path);
  if (format !== undefined) return format;
  throw new UsageError(`--out: ${path} ends neither in .csv nor in .json, .jsonl or .yaml`);
}

function readSerials(path: string): readonly string[] {
  return readOptionFile('expect', path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

async function print(summary: DiscoverySummary, out: string | undefined, output: Output): Promise<void> {
  const { formatTable } = await import('@endorse/provisioning-utility');
  const { devices, conflicts, missingSerials, counters } = summary;
  output.text(
    formatTable(
      ['Serial', 'Address', 'Port', 'Model', 'State', 'Remarks'],
      devices.map(({ announcement, address, ineligibleFor, warnings }) => [
        announcement.serial,
        address,
        String(announcement.api.port),
        announcement.model ?? '',
        announcement.state,
        [...ineligibleFor, ...warnings].join(', '),
      ]),
    ),
  );
  const eligible = devices.filter(({ ineligibleFor }) => ineligibleFor.length === 0).length;
  output.result(
    `\n${devices.length} found, ${eligible} eligible${out === undefined ? '' : `; inventory in ${out}`}`,
  );
  for (const { serial, devices: claimants } of conflicts) {
    output.progress(
      `conflict: ${claimants.length} devices say they are ${serial.replaceAll(/\p{C}+/gu, ' ')}`,
    );
  }
  if (missingSerials.length > 0) output.progress(`missing: ${missingSerials.join(', ')}`);
  if (devices.length > 0) return;
  output.progress(
    counters.received > 0
      ? 'Something answers on this port, but not in a format that is known here.'
      : 'Nothing answered. Check cable and subnet; in a container, or behind a router, give addresses with --target.',
  );
}
