import type { CodeExplanation } from '@endorse/provisioning-utility';
import { defineCommand, type Command } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { suggest } from '../command/suggest.ts';

/** `endorse explain`: what a code means that a device or a run ended with. */
export const explainCommand: Command = defineCommand({
  path: ['explain'],
  summary: 'say what an error code means, and what to do next',
  description: [
    'Reports and error messages of plan and apply carry codes. This says what each means and what to do next; without --code it lists them all.',
  ],
  options: {
    code: { type: 'string', value: 'CODE', summary: 'the code, for example ERR_PLAN_STALE' },
  },
  examples: [{ line: 'endorse explain --code ERR_KEY_CHANGED', says: 'one code' }],
  async run(values, { output }) {
    const { listExplanations } = await import('@endorse/provisioning-utility');
    const all = listExplanations();
    for (const explanation of values.code === undefined ? all : [find(values.code, all)]) {
      output.event({ event: 'explanation', ...explanation });
      output.result(output.style('bold', explanation.code));
      output.result(`  ${explanation.means}`);
      output.result(`  ${explanation.next}`);
    }
    return 0;
  },
});

function find(code: string, all: readonly CodeExplanation[]): CodeExplanation {
  const wanted = code.toUpperCase();
  const found = all.find((explanation) => explanation.code === wanted);
  if (found !== undefined) return found;
  const near = suggest(
    wanted,
    all.map((explanation) => explanation.code),
  );
  throw new UsageError(
    `there is no explanation of ${code}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}
