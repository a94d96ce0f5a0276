import { EndorseError } from '@endorse/interface';
import type { EndorseErrorOptions } from '@endorse/interface';

/** Codes of {@link SimulatorError}. */
export type SimulatorErrorCode = 'ERR_SIMULATOR_MISSING' | 'ERR_SIMULATOR_START' | 'ERR_SIMULATOR_STOPPED';

/**
 * The simulator cannot be used: not installed, not starting, or stopped.
 *
 * - `ERR_SIMULATOR_MISSING`: the program is not on the `PATH`; `remedy` says how to install it.
 * - `ERR_SIMULATOR_START`: it ended before it answered; the message carries the end of what it printed.
 * - `ERR_SIMULATOR_STOPPED`: the fixture was stopped and cannot be used again.
 */
export class SimulatorError extends EndorseError {
  readonly fault = 'local';
  readonly retryable = false;
  readonly code: SimulatorErrorCode;

  constructor(code: SimulatorErrorCode, message: string, options: EndorseErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

const packageNames: Readonly<Record<string, string>> = {
  swtpm: 'swtpm',
  swtpm_setup: 'swtpm-tools',
};

/** The error for a program that is not installed, with the install line of each platform. */
export function missingProgram(program: string, cause: unknown): SimulatorError {
  const debian = packageNames[program] ?? 'swtpm';
  return new SimulatorError('ERR_SIMULATOR_MISSING', `${program} is not installed or not on the PATH`, {
    cause,
    remedy:
      `Install it: Debian/Ubuntu \`sudo apt-get install ${debian}\`, ` +
      `Fedora \`sudo dnf install ${debian}\`, macOS \`brew install swtpm\`; on Windows use WSL.`,
  });
}
