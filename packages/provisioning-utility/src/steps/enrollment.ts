/** One enrollment: created, updated, left alone, or in somebody else's way. */
import { isDeepStrictEqual } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import type { IndividualEnrollment } from '@endorse/protocol';
import { keyFingerprint } from '../endorsement-key.ts';
import { ProvisioningError } from '../errors.ts';
import type { JobEnrollment } from '../job/job.ts';
import type { EnrollmentPort } from '../ports.ts';
import { defined } from '../support/defined.ts';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/** What an enrollment shall be. */
export interface DesiredEnrollment {
  readonly registrationId: string;
  /** TPM2B_PUBLIC. */
  readonly endorsementKey: Uint8Array;
  readonly deviceId?: string | undefined;
  readonly settings: JobEnrollment;
}

/** What has to be done about it, and why. */
export interface EnrollmentDecision {
  readonly action: 'create' | 'update' | 'unchanged' | 'conflict';
  readonly reason: string;
}

/** Compares what there is with what shall be. Settings that the job does not name are left as they are. Pure. */
export function decideEnrollment(
  current: IndividualEnrollment | undefined,
  desired: DesiredEnrollment,
): EnrollmentDecision {
  if (current === undefined) return { action: 'create', reason: 'there is no enrollment' };
  const { attestation } = current;
  if (attestation.type !== 'tpm') {
    return { action: 'conflict', reason: `the enrollment is for attestation by ${attestation.type}` };
  }
  if (Buffer.compare(attestation.endorsementKey, desired.endorsementKey) !== 0) {
    const [there, here] = [attestation.endorsementKey, desired.endorsementKey].map(keyFingerprint);
    return { action: 'conflict', reason: `the enrollment is for the key ${there}…, the device has ${here}…` };
  }
  const differing = differingSettings(current, desired);
  return differing.length === 0
    ? { action: 'unchanged', reason: 'the enrollment is as it shall be' }
    : { action: 'update', reason: `differs in ${differing.join(', ')}` };
}

function differingSettings(current: IndividualEnrollment, desired: DesiredEnrollment): readonly string[] {
  const wanted = defined({ ...desired.settings, deviceId: desired.deviceId });
  return Object.entries(wanted)
    .filter(
      ([name, value]) =>
        !isDeepStrictEqual(current[name as keyof IndividualEnrollment] ?? defaults[name], value),
    )
    .map(([name]) => name);
}

/** What the service takes for a setting that is absent. */
const defaults: Readonly<Record<string, unknown>> = {
  capabilities: { iotEdge: false },
  provisioningStatus: 'enabled',
};

/** Reads an enrollment with its key; undefined when there is none. */
export async function findEnrollment(
  { enrollments }: EnrollmentPort,
  registrationId: string,
  signal: AbortSignal,
): Promise<IndividualEnrollment | undefined> {
  try {
    return await enrollments.get(registrationId, { signal });
  } catch (error) {
    if (isEndorseError(error) && error.code === 'ERR_SERVICE_NOT_FOUND') return undefined;
    throw error;
  }
}

/**
 * Makes the enrollment what it shall be: reads, compares, and writes only what differs.
 *
 * `planned` is the etag that a plan saw, or `absent`; when the enrollment is neither that nor what it shall be, somebody
 * else changed it: `ERR_PLAN_STALE`. Without `planned` the present one is updated. An enrollment with another key
 * is `ERR_ENROLLMENT_CONFLICT`; it is never replaced.
 *
 * @example
 * ```js
 * import { ensureEnrollment } from '@endorse/provisioning-utility';
 *
 * export async function enroll(client, registrationId, endorsementKey) {
 *   const settings = { capabilities: { iotEdge: true } };
 *   const desired = { registrationId, endorsementKey, settings };
 *   const { result } = await ensureEnrollment({ port: client, desired, signal: AbortSignal.timeout(30_000) });
 *   return result; // 'changed' the first time, 'unchanged' from then on
 * }
 * ```
 */
export async function ensureEnrollment(
  options: StepOptions & {
    readonly port: EnrollmentPort;
    readonly desired: DesiredEnrollment;
    readonly planned?: string | undefined;
  },
): Promise<StepOutcome> {
  const { port, desired, planned, signal, onWrite } = options;
  const { registrationId } = desired;
  const current = await findEnrollment(port, registrationId, signal);
  const { action, reason } = decideEnrollment(current, desired);
  switch (action) {
    case 'unchanged':
      return outcome('unchanged', reason, desired);
    case 'conflict':
      throw conflict(registrationId, reason);
    case 'create':
      if (planned !== undefined && planned !== 'absent') throw stale(registrationId, 'was removed');
      await onWrite?.(`create enrollment ${registrationId}`);
      return create(port, desired, signal);
    case 'update': {
      const etag = current?.etag ?? '';
      if (planned !== undefined && planned !== etag) {
        throw stale(registrationId, planned === 'absent' ? 'was made by somebody else' : 'was changed');
      }
      await onWrite?.(`update enrollment ${registrationId}: ${reason}`);
      await update(port, { ...toEnrollment(desired, current) }, etag, signal);
      return outcome('changed', `updated: ${reason}`, desired);
    }
    default:
      return action satisfies never;
  }
}

async function create(
  port: EnrollmentPort,
  desired: DesiredEnrollment,
  signal: AbortSignal,
): Promise<StepOutcome> {
  try {
    await port.enrollments.create(toEnrollment(desired, undefined), { signal });
    return outcome('changed', 'created', desired);
  } catch (error) {
    if (!isEndorseError(error) || error.code !== 'ERR_SERVICE_CONFLICT') throw error;
  }
  // It appeared between the look and the write: ours, from an answer that was lost, or somebody else's.
  const found = await findEnrollment(port, desired.registrationId, signal);
  const { action, reason } = decideEnrollment(found, desired);
  if (action === 'unchanged') return outcome('changed', 'created, and found again', desired);
  if (action === 'conflict') throw conflict(desired.registrationId, reason);
  throw stale(desired.registrationId, 'was made by somebody else at this moment');
}

async function update(
  { enrollments }: EnrollmentPort,
  enrollment: IndividualEnrollment,
  ifMatch: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await enrollments.update(enrollment, { signal, ifMatch });
  } catch (error) {
    if (!isEndorseError(error) || error.code !== 'ERR_SERVICE_PRECONDITION') throw error;
    throw stale(enrollment.registrationId, 'was changed at this moment', error);
  }
}

function toEnrollment(
  { registrationId, endorsementKey, deviceId, settings }: DesiredEnrollment,
  current: IndividualEnrollment | undefined,
): IndividualEnrollment {
  return {
    ...current,
    registrationId,
    // No storage root key: it changes with the owner of the TPM, and the service does not compare it.
    attestation: current?.attestation ?? { type: 'tpm', endorsementKey },
    ...(deviceId === undefined ? {} : { deviceId }),
    ...settings,
  };
}

function outcome(
  result: StepOutcome['result'],
  detail: string,
  { registrationId, endorsementKey }: DesiredEnrollment,
): StepOutcome {
  return { result, detail, facts: { registrationId, endorsementKey: keyFingerprint(endorsementKey) } };
}

function conflict(registrationId: string, reason: string): ProvisioningError {
  return new ProvisioningError('ERR_ENROLLMENT_CONFLICT', `${registrationId}: ${reason}`, {
    remedy: 'Find out whose enrollment this is. Delete it if it is an old one, then plan again.',
  });
}

function stale(registrationId: string, what: string, cause?: unknown): ProvisioningError {
  return new ProvisioningError(
    'ERR_PLAN_STALE',
    `enrollment ${registrationId} ${what} since the plan was made`,
    {
      cause,
      remedy: 'Make a new plan and look at it.',
    },
  );
}
