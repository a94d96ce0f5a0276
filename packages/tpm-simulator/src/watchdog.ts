import { spawn } from 'node:child_process';

/**
 * Cleans up after a process that can no longer do it itself.
 *
 * A shell that waits on a pipe from us. While we live it only remembers the simulator's
 * process id. When the pipe closes without a farewell (we crashed, were killed, or simply
 * ended), it kills the simulator and removes the directory. Only a `SIGKILL` of the shell
 * itself, before ours, leaks.
 */
export interface Watchdog {
  /** Names the process to kill; undefined when it ended, so that its id may be reused by others. */
  watch(pid: number | undefined): void;
  /** Ends the watch without touching anything; harmless when repeated. */
  release(): void;
}

const script = `
pid=
while read -r word; do
  case $word in
    release) exit 0 ;;
    none) pid= ;;
    *) pid=$word ;;
  esac
done
[ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
rm -rf -- "$1"
`;

/** Starts a watch over a directory that must not outlive this process. */
export function startWatchdog(directory: string): Watchdog {
  const shell = spawn('/bin/sh', ['-c', script, 'endorse-tpm-simulator-watchdog', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    // A group of its own: Ctrl-C in a terminal must not end the watch before it has done its work.
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // The pipe must not keep a program alive that forgot to stop its simulator.
  (shell.stdin as unknown as { unref(): void }).unref();
  const tell = (word: string): void => {
    if (shell.stdin.writable) shell.stdin.write(`${word}\n`);
  };
  return {
    watch: (pid) => tell(pid === undefined ? 'none' : String(pid)),
    release: () => {
      tell('release');
      shell.stdin.end();
    },
  };
}
