/** Runs one bench and sends what it measured; arguments are its name and size. Started by `run-bench.ts` only. */
import type { BenchSize } from '../bench.ts';
import { benches } from '../registry.ts';

/** What is sent. */
export type BenchAnswer = { readonly figures: unknown } | { readonly error: string };

const [name, size] = process.argv.slice(2);

// Whoever started us is gone, and with it the one who would end our group.
const endGroup = (): void => void process.kill(-process.pid, 'SIGTERM');
process.once('disconnect', endGroup);

const answer = await measure();
process.off('disconnect', endGroup);
process.send?.(answer, () => process.disconnect());

async function measure(): Promise<BenchAnswer> {
  const bench = benches.find((candidate) => candidate.name === name);
  if (bench === undefined) return { error: `no bench is called ${String(name)}` };
  const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
  try {
    return { figures: await bench.run({ size: size as BenchSize, say }) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
