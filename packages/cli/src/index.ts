/**
 * The `endorse` command. It is a program first: `npx endorse --help`. What it does
 * is in the other packages; this one reads the command line and prints.
 *
 * @example
 * ```js
 * import { runCli } from '@endorse/cli';
 *
 * export function info(tpm) {
 *   const { stdout, stderr, env, platform } = process;
 *   const signal = AbortSignal.timeout(60_000);
 *   return runCli(['tpm', 'info', '--tpm', tpm, '--json'], { stdout, stderr, env, platform, signal });
 * }
 * ```
 *
 * @packageDocumentation
 */
export type { ExitCode } from './command/command.ts';
export type { TextSink } from './output/output.ts';
export type { CliEnvironment } from './run-cli.ts';
export { runCli } from './run-cli.ts';
