/** The reason a run is aborted with by Ctrl-C or SIGTERM. */
export class Interruption extends Error {
  readonly code = 'ERR_INTERRUPTED';

  constructor(cause: string) {
    super(`interrupted by ${cause}`);
    this.name = 'Interruption';
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Turns signals into an abort. The first one lets the command clean up; a second one ends the
 * process at once, for whoever does not want to wait. `release` takes the handlers away.
 */
export function watchInterruption(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Interruption(name));
  };
  // A reader that went away (`endorse emulator --json | head -1`) is no defect: it is the same wish to stop.
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    if (!controller.signal.aborted) controller.abort(new Interruption('a closed output'));
  };
  for (const name of signals) process.on(name, onSignal);
  process.stdout.on('error', onOutputError);
  process.stderr.on('error', onOutputError);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
