/** `npm run bench -- --fleet`: gateways by the hundred; prints JSON and puts it into `reports/bench/fleet.json`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { measureFleet } from './fleet.ts';

/** Measures and reports. */
export async function benchFleet(options: { readonly quick: boolean }): Promise<void> {
  const figures = await measureFleet(
    options.quick ? { gateways: 20, alone: 4 } : { gateways: 200, alone: 15 },
  );
  const directory = fileURLToPath(new URL('../../reports/bench/', import.meta.url));
  await mkdir(directory, { recursive: true });
  const text = `${JSON.stringify(figures, undefined, 2)}\n`;
  await writeFile(`${directory}fleet.json`, text);
  process.stdout.write(text);
}
