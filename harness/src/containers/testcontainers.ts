import { SimulatorError } from '@endorse/tpm-simulator';

/** Loads testcontainers, an optional peer. Rejects with `ERR_SIMULATOR_MISSING` when it is not installed. */
export async function loadTestcontainers(): Promise<typeof import('testcontainers')> {
  try {
    return await import('testcontainers');
  } catch (cause) {
    throw new SimulatorError('ERR_SIMULATOR_MISSING', 'testcontainers is not installed', {
      cause,
      remedy: 'Install it beside @endorse/harness: `npm install --save-dev testcontainers`.',
    });
  }
}

/** The error for an engine that does not do what it was asked to, or is not there. */
export function containerEngineError(problem: string, cause: unknown): SimulatorError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SimulatorError('ERR_SIMULATOR_START', `${problem}: ${why}`, {
    cause,
    remedy: 'Check that `docker info` works for this user, or set DOCKER_HOST to an engine that answers.',
  });
}
