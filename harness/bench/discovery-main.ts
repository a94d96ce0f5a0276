/** `npm run bench -- --discovery`: devices by the thousand; prints JSON and puts it into `reports/bench/discovery.json`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { measureDiscovery } from './discovery.ts';

/** Measures and reports. */
export async function benchDiscovery(options: { readonly quick: boolean }): Promise<void> {
  const figures = await measureDiscovery(
    options.quick
      ? { devices: 200, junkPerSecond: 2_000, junkSeconds: 2 }
      : { devices: 1_000, junkPerSecond: 10_000, junkSeconds: 10 },
  );
  const directory = fileURLToPath(new URL('../../reports/bench/', import.meta.url));
  await mkdir(directory, { recursive: true });
  const text = `${JSON.stringify(figures, undefined, 2)}\n`;
  await writeFile(`${directory}discovery.json`, text);
  process.stdout.write(text);
}
