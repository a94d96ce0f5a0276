/**
 * The tests never leave this machine, whatever the shell they are started from has set for `npm run live`: a real
 * service costs money, is slower than their time limits, and its key is no business of CI.
 */
export function withoutLiveVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ENDORSE_LIVE_')));
}
