import { join } from 'node:path';

/**
 * Arguments for Node.js that build the workspace with the local cache only.
 *
 * @param {string} root The checkout.
 * @param {readonly string[]} args Passed on to turbo.
 * @returns {string[]}
 */
export function turboArguments(root, args) {
  return [
    join(root, 'node_modules/turbo/bin/turbo'),
    'run',
    'build',
    '--cache=local:rw',
    '--output-logs=errors-only',
    ...args,
  ];
}

/**
 * No telemetry and no update notice.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function turboEnvironment(env) {
  return { ...env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
}
