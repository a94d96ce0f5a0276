import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { locateToolchain } from '../../../scripts/lib/toolchain.mjs';
import { repositoryFiles } from '../../../scripts/checks/workspace.ts';
import { runToEnd } from './run-to-end.ts';

/** A copy of the checkout to release from, with a history of its own; disposing of it deletes it. */
export interface CheckoutCopy extends AsyncDisposable {
  readonly folder: string;
  /** Runs a program of the copy's development dependencies with the pinned Node.js; rejects unless it exits with 0. */
  runTool(path: string, ...args: readonly string[]): Promise<string>;
  /** Commits everything. */
  commit(message: string): void;
}

/** Copies what is or would be committed, and installs the packages from the store. */
export async function copyCheckout(
  root: string,
  environment: Readonly<Record<string, string>>,
): Promise<CheckoutCopy> {
  const { node, pnpm, env } = locateToolchain(root);
  const folder = mkdtempSync(join(tmpdir(), 'endorse-release-'));
  for (const file of repositoryFiles(root)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  const git = (...args: readonly string[]): void => {
    const identity = ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost'];
    execFileSync('git', [...identity, ...args], { cwd: folder, stdio: 'pipe' });
  };
  const commit = (message: string): void => {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  };
  git('init', '--quiet', '--initial-branch=main');
  commit('The checkout');
  const runTool = (path: string, ...args: readonly string[]): Promise<string> =>
    runToEnd(node, [path, ...args], { cwd: folder, env: { ...env, CI: 'true', ...environment } });
  await runTool(pnpm, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only');
  return {
    folder,
    runTool,
    commit,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
