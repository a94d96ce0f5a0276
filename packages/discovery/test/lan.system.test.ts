/** A LAN of network namespaces: the kernel's own broadcast and multicast, across a switch. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { DiscoverySummary } from '@endorse/discovery';

const run = promisify(execFile);

test('devices are found by directed broadcast on the subnet, and by IPv6 multicast where the subnet differs', async () => {
  const script = fileURLToPath(new URL('support/lan/run.sh', import.meta.url));
  // A plain user becomes root of namespaces of its own.
  const asRoot = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const { stdout } = await run(
    'unshare',
    [...asRoot, '--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', script, process.execPath],
    { timeout: 90_000, killSignal: 'SIGKILL' },
  );
  const summary = JSON.parse(stdout) as DiscoverySummary;
  expect(
    summary.devices.map(({ announcement, sources, apiUrl }) => [announcement.serial, sources, apiUrl]),
  ).toEqual([
    ['SERIAL-factory', ['fe80::21%lan0'], 'https://[fe80::21%25lan0]:8443/api/v1'],
    ['SERIAL-near', ['192.168.3.21'], 'https://192.168.3.21:8443/api/v1'],
  ]);
});
