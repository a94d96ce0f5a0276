/**
 * `npm run check [-- name…]`: runs all checks, or those named.
 * `--list` lists them.
 */
import { exitOnSignals } from '../lib/interrupt.mjs';
import { repositoryRoot } from '../lib/root.mjs';
import { formatResult, isError, runCheck } from './check.ts';
import { checks } from './registry.ts';

exitOnSignals();
const names = process.argv.slice(2);
const unknown = names.filter((name) => name !== '--list' && !checks.some((check) => check.name === name));

if (names.includes('--list')) {
  process.stdout.write(checks.map(({ name, summary }) => `${name.padEnd(20)} ${summary}\n`).join(''));
} else if (unknown.length > 0) {
  process.stderr.write(`no check is called ${unknown.join(', ')}; --list lists them\n`);
  process.exitCode = 2;
} else {
  for (const check of checks.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const result = await runCheck(check, repositoryRoot);
    process.stdout.write(formatResult(result));
    if (result.findings.some(isError)) process.exitCode = 1;
  }
}
