import type { Clock, RegistrationState } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import { serviceErrorRemedy } from '@endorse/protocol';
import { ProvisioningError } from '../errors.ts';
import type { EnrollmentPort } from '../ports.ts';
import { defined } from '../support/defined.ts';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/**
 * Waits until the service says that the device is assigned, and reports hub and device id. A device that has not
 * registered when the time is up is `pending`: it may be offline, and registers when it is not.
 *
 * `before` is the etag of a registration from before this run that does not count. Rejects with
 * `ERR_REGISTRATION_FAILED` when the service refused the device.
 *
 * @example
 * ```js
 * import { systemClock as clock } from '@endorse/interface/node';
 * import { verifyAssigned } from '@endorse/provisioning-utility';
 *
 * export async function waitFor(client, registrationId) {
 *   const signal = AbortSignal.timeout(600_000);
 *   const options = { port: client, registrationId, clock, timeoutMs: 300_000, pauseMs: 5000 };
 *   const { result, facts } = await verifyAssigned({ ...options, signal });
 *   return result === 'pending' ? undefined : facts?.assignedHub;
 * }
 * ```
 */
export async function verifyAssigned(
  options: StepOptions & {
    readonly port: Pick<EnrollmentPort, 'registrations'>;
    readonly registrationId: string;
    readonly clock: Clock;
    /** How long to wait, in milliseconds; 0 looks once. */
    readonly timeoutMs: number;
    readonly pauseMs: number;
    readonly before?: string | undefined;
  },
): Promise<StepOutcome> {
  const { port, registrationId, clock, timeoutMs, pauseMs, before, signal } = options;
  const endsAt = clock.now() + timeoutMs;
  for (;;) {
    const state = await findRegistration(port, registrationId, signal);
    const isNew = state !== undefined && (before === undefined || state.etag !== before);
    if (isNew && state.status === 'assigned') return assigned(state);
    if (isNew && (state.status === 'failed' || state.status === 'disabled'))
      throw failed(registrationId, state);
    const leftMs = endsAt - clock.now();
    if (leftMs <= 0) {
      return {
        result: 'pending',
        detail: state === undefined ? 'has not registered yet' : `is ${state.status ?? 'unknown'}`,
      };
    }
    await clock.sleep(Math.min(pauseMs, leftMs), signal);
  }
}

/** What the service knows of a device's registration; undefined when it never registered. */
export async function findRegistration(
  { registrations }: Pick<EnrollmentPort, 'registrations'>,
  registrationId: string,
  signal: AbortSignal,
): Promise<RegistrationState | undefined> {
  try {
    return await registrations.get(registrationId, { signal });
  } catch (error) {
    if (isEndorseError(error) && error.code === 'ERR_SERVICE_NOT_FOUND') return undefined;
    throw error;
  }
}

function assigned({ assignedHub = '', deviceId = '' }: RegistrationState): StepOutcome {
  return {
    result: 'unchanged',
    detail: `assigned to ${assignedHub} as ${deviceId}`,
    facts: defined({ assignedHub, deviceId }),
  };
}

function failed(
  registrationId: string,
  { status, errorCode, errorMessage }: RegistrationState,
): ProvisioningError {
  const why = [errorCode, errorMessage].filter((part) => part !== undefined).join(' ');
  return new ProvisioningError(
    'ERR_REGISTRATION_FAILED',
    `${registrationId} is ${status ?? 'unknown'} at the service${why === '' ? '' : `: ${why}`}`,
    {
      remedy:
        (errorCode === undefined ? undefined : serviceErrorRemedy(Math.floor(errorCode / 1000), errorCode)) ??
        'Look at the enrollment and at the log of the gateway.',
    },
  );
}
