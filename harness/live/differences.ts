import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceAddress } from '../support/service/service-under-test.ts';
import { connectService, openEmulator } from '../support/service/service-under-test.ts';
import type { Finding } from './compare.ts';
import { compareServices } from './compare.ts';
import type { Probe } from './probe.ts';
import { observeAll } from './probe.ts';
import { renderReport } from './report.ts';

/** Where the reports of this checkout are. */
export const defaultReports = fileURLToPath(new URL('../../reports', import.meta.url));

/**
 * What the emulator is set to: what is known of the service. Where it does not say how long it takes, it takes long
 * enough for a poll to come too early.
 */
const referenceOptions = { retryAfterSeconds: 3, assigningDurationMs: 2500 } as const;

/** Takes an emulator and the service through the same steps, and writes down where they differ. */
export async function reportDifferences(
  address: ServiceAddress,
  probes: readonly Probe[],
  directory: string,
): Promise<readonly Finding[]> {
  await using service = connectService(address);
  await using emulator = await openEmulator(referenceOptions);
  const [ours, theirs] = await Promise.all([observeAll(probes, emulator), observeAll(probes, service)]);
  const findings = compareServices(probes, ours, theirs);
  mkdirSync(directory, { recursive: true });
  const observed = { emulator: Object.fromEntries(ours), service: Object.fromEntries(theirs) };
  writeFileSync(
    join(directory, 'live-differences.json'),
    `${JSON.stringify({ findings, observed }, null, 2)}\n`,
  );
  writeFileSync(join(directory, 'live-differences.md'), renderReport(findings, new Date()));
  return findings;
}
