/**
 * A client of the service API of the Device Provisioning Service: individual enrollments, enrollment groups and
 * registration records, over HTTPS, directly or through a proxy. undici is loaded at the first request.
 *
 * @example
 * ```js
 * import { createEnrollmentClient, tpmEnrollment } from '@endorse/enrollment-client';
 *
 * export async function enroll(connectionString, endorsementKey) {
 *   const client = createEnrollmentClient({ connectionString });
 *   try {
 *     const signal = AbortSignal.timeout(60_000);
 *     return await client.enrollments.create(tpmEnrollment({ endorsementKey }), { signal });
 *   } finally {
 *     await client.close();
 *   }
 * }
 * ```
 *
 * @packageDocumentation
 */
export type {
  AttestationMechanism,
  BulkError,
  BulkMode,
  BulkResult,
  EnrollmentGroup,
  EnrollmentSettings,
  IndividualEnrollment,
} from '@endorse/protocol';
export { BulkInterruptedError } from './bulk.ts';
export type { EnrollmentClient } from './client.ts';
export { createEnrollmentClient } from './client.ts';
export type { EnrollmentCollection, EnrollmentLike } from './collection.ts';
export type { EnrollmentClientOptions } from './options.ts';
export type { PagedQuery, QueryOptions, QueryPage, QueryRow } from './paged-query.ts';
export type { RegistrationCollection } from './registrations.ts';
export type { ConditionalRequestOptions, RequestOptions } from './requests.ts';
export type { TpmEnrollmentOptions } from './tpm-enrollment.ts';
export { tpmEnrollment } from './tpm-enrollment.ts';
