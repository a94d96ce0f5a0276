import type { BulkMode, BulkResult, IndividualEnrollment } from '@endorse/protocol';
import type { DesiredEnrollment } from './enrollment.ts';

/** What became of one device of a bulk enrollment. */
export interface BulkOutcome {
  readonly registrationId: string;
  /** `created`, or why not. */
  readonly result: 'created' | 'failed';
  /** The service's own code, for example 409000. */
  readonly code?: number;
  readonly message?: string;
}

/** The part of an enrollment client that bulk enrollment uses; it splits into requests of ten. */
export interface BulkPort {
  /** Sends the items and resolves with those that failed. */
  bulk(
    mode: BulkMode,
    items: readonly IndividualEnrollment[],
    options: { readonly signal: AbortSignal },
  ): Promise<BulkResult>;
}

/**
 * Enrolls any number of devices whose keys are known in advance, from a delivery list: nobody has to reach them.
 * Devices fail one by one; the outcome has one entry for each, in the order given.
 *
 * @example
 * ```js
 * import { enrollInBulk, readEndorsementKey } from '@endorse/provisioning-utility';
 *
 * export async function enrollDelivery(client, rows) {
 *   const devices = rows.map(({ serial, key }) => ({
 *     registrationId: serial.toLowerCase(),
 *     endorsementKey: readEndorsementKey(key).tpm2bPublic,
 *     settings: { capabilities: { iotEdge: true } },
 *   }));
 *   const signal = AbortSignal.timeout(600_000);
 *   const outcomes = await enrollInBulk({ enrollments: client.enrollments, devices, signal });
 *   return outcomes.filter(({ result }) => result === 'failed');
 * }
 * ```
 */
export async function enrollInBulk(options: {
  readonly enrollments: BulkPort;
  readonly devices: readonly DesiredEnrollment[];
  readonly signal: AbortSignal;
}): Promise<readonly BulkOutcome[]> {
  const { enrollments, devices, signal } = options;
  const items = devices.map(
    ({ registrationId, endorsementKey, deviceId, settings }): IndividualEnrollment => ({
      registrationId,
      attestation: { type: 'tpm', endorsementKey },
      ...(deviceId === undefined ? {} : { deviceId }),
      ...settings,
    }),
  );
  const { errors } = await enrollments.bulk('create', items, { signal });
  const byId = new Map(errors.map((error) => [error.id.toLowerCase(), error]));
  return devices.map(({ registrationId }) => {
    const error = byId.get(registrationId.toLowerCase());
    if (error === undefined) return { registrationId, result: 'created' };
    return { registrationId, result: 'failed', code: error.errorCode, message: error.errorStatus };
  });
}
