import type { RegistrationState } from '@endorse/interface';
import {
  decodeRegistrationPage,
  decodeRegistrationState,
  encodeCollectionTarget,
  encodeServiceTarget,
} from '@endorse/protocol';
import type { PagedQuery, QueryOptions } from './paged-query.ts';
import { createPagedQuery } from './paged-query.ts';
import type { ConditionalRequestOptions, Requester, RequestOptions } from './requests.ts';
import { ifMatchHeader } from './requests.ts';

/** What became of devices. Rejections as in {@link EnrollmentCollection}. */
export interface RegistrationCollection {
  /** Reads the record of one device. */
  get(registrationId: string, options?: RequestOptions): Promise<RegistrationState>;
  /** Removes the record of one device, only when its etag is still `ifMatch`, if that is given. Its identity on the hub stays. */
  delete(registrationId: string, options?: ConditionalRequestOptions): Promise<void>;
  /** Goes through the records of a group's devices. */
  query(enrollmentGroupId: string, options?: QueryOptions): PagedQuery<RegistrationState>;
}

/** Makes the collection of registration records. */
export function createRegistrations(send: Requester, apiVersion: string): RegistrationCollection {
  return {
    async get(registrationId, options = {}) {
      const target = encodeServiceTarget({ kind: 'get-registration', registrationId, apiVersion });
      const attempted = `read the registration of ${registrationId}`;
      const response = await send({ attempted, method: 'GET', target, isRepeatable: true }, options);
      return decodeRegistrationState(response.body);
    },
    async delete(registrationId, options = {}) {
      const target = encodeServiceTarget({ kind: 'delete-registration', registrationId, apiVersion });
      const headers = ifMatchHeader(options.ifMatch);
      const attempted = `delete the registration of ${registrationId}`;
      const call = { attempted, method: 'DELETE', target, headers, isRepeatable: false } as const;
      await send(call, options, { hasBody: false });
    },
    query: (enrollmentGroupId, options = {}) =>
      createPagedQuery(
        send,
        {
          attempted: `query the registrations of group ${enrollmentGroupId}`,
          target: encodeCollectionTarget({ kind: 'query-registrations', enrollmentGroupId, apiVersion }),
          query: 'SELECT * FROM deviceRegistrations',
          decode: (body) => decodeRegistrationPage(body),
        },
        options,
      ),
  };
}
