/** Compiled, not run: what the public generics and unions accept. */
import type { RegistrationState } from '@endorse/interface';
import type {
  BulkMode,
  BulkResult,
  EnrollmentClient,
  EnrollmentGroup,
  IndividualEnrollment,
  PagedQuery,
  QueryRow,
} from '@endorse/enrollment-client';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { expectTypeOf } from 'vitest';

expectTypeOf<BulkMode>().toEqualTypeOf<'create' | 'update' | 'updateIfMatchETag' | 'delete'>();

declare const client: EnrollmentClient;
expectTypeOf(client.enrollments.get('r')).resolves.toEqualTypeOf<IndividualEnrollment>();
expectTypeOf(client.enrollmentGroups.get('g')).resolves.toEqualTypeOf<EnrollmentGroup>();
expectTypeOf(client.enrollments.query()).toEqualTypeOf<PagedQuery<IndividualEnrollment>>();
expectTypeOf(client.enrollments.queryRows('SELECT a')).toEqualTypeOf<PagedQuery<QueryRow>>();
expectTypeOf(client.registrations.query('g')).toEqualTypeOf<PagedQuery<RegistrationState>>();
expectTypeOf(client.enrollments.bulk('create', [])).resolves.toEqualTypeOf<BulkResult>();

// @ts-expect-error a group is no enrollment
void client.enrollments.create({ enrollmentGroupId: 'g', attestation: { type: 'symmetricKey' } });
// @ts-expect-error a key in clear is no Secret
createEnrollmentClient({ hostName: 'h', sharedAccessKeyName: 'n', sharedAccessKey: 'key' });
