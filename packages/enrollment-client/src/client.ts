import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';
import {
  decodeBulkResult,
  decodeEnrollmentGroup,
  decodeEnrollmentGroupPage,
  decodeEnrollmentPage,
  decodeIndividualEnrollment,
  encodeCollectionTarget,
  encodeEnrollmentBulkOperation,
  encodeEnrollmentGroup,
  encodeEnrollmentGroupTarget,
  encodeGroupBulkOperation,
  encodeIndividualEnrollment,
  encodeServiceTarget,
  maxResponseBytes,
} from '@endorse/protocol';
import type { CollectionRules, EnrollmentCollection } from './collection.ts';
import { createCollection } from './collection.ts';
import { createHttpExchange } from './http-exchange.ts';
import type { EnrollmentClientOptions } from './options.ts';
import { checkOptions } from './options.ts';
import type { RegistrationCollection } from './registrations.ts';
import { createRegistrations } from './registrations.ts';
import { createRequester } from './requests.ts';
import { createSender } from './sender.ts';

/** A client of the service API. Disposing of it closes its connections. */
export interface EnrollmentClient extends AsyncDisposable {
  /** Host of the service API, with a port unless it is 443. */
  readonly hostName: string;
  /** Individual enrollments: one device each. */
  readonly enrollments: EnrollmentCollection<IndividualEnrollment>;
  /** Enrollment groups: any device with a derived key or a signed certificate. */
  readonly enrollmentGroups: EnrollmentCollection<EnrollmentGroup>;
  /** Registration records: what became of devices. */
  readonly registrations: RegistrationCollection;
  /** Drops every connection; later requests reject with `ERR_SESSION_CLOSED`. Harmless when repeated. */
  close(): Promise<void>;
}

/**
 * Makes a client of the service API. Sends nothing yet; undici is loaded at the first request.
 *
 * Any number of requests may run at once. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option.
 */
export function createEnrollmentClient(options: EnrollmentClientOptions): EnrollmentClient {
  const settings = checkOptions(options);
  const exchange = createHttpExchange(settings);
  const send = createRequester(settings, createSender(settings, exchange));
  const { apiVersion } = settings;
  const close = (): Promise<void> => exchange.close();
  return Object.freeze({
    hostName: settings.connection.hostName,
    enrollments: createCollection(send, enrollmentRules(apiVersion)),
    enrollmentGroups: createCollection(send, groupRules(apiVersion)),
    registrations: createRegistrations(send, apiVersion),
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** An enrollment that fits into a request grows by what the service adds to it. */
const answer = { maxBytes: maxResponseBytes };

function enrollmentRules(apiVersion: string): CollectionRules<IndividualEnrollment> {
  return {
    noun: 'enrollment',
    argument: 'enrollment',
    defaultQuery: 'SELECT * FROM enrollments',
    idOf: ({ registrationId }) => registrationId,
    target: (kind, registrationId = '') => {
      switch (kind) {
        case 'one':
          return encodeServiceTarget({ kind: 'get-enrollment', registrationId, apiVersion });
        case 'attestation':
          return encodeServiceTarget({ kind: 'get-attestation-mechanism', registrationId, apiVersion });
        case 'bulk':
          return encodeCollectionTarget({ kind: 'bulk-enrollments', apiVersion });
        case 'query':
          return encodeCollectionTarget({ kind: 'query-enrollments', apiVersion });
        default:
          return kind satisfies never;
      }
    },
    encode: encodeIndividualEnrollment,
    decode: (body) => decodeIndividualEnrollment(body, answer),
    decodePage: (body) => decodeEnrollmentPage(body),
    encodeBulk: encodeEnrollmentBulkOperation,
    decodeBulk: (body) => decodeBulkResult('enrollments', body),
  };
}

function groupRules(apiVersion: string): CollectionRules<EnrollmentGroup> {
  return {
    noun: 'enrollment group',
    argument: 'group',
    defaultQuery: 'SELECT * FROM enrollmentGroups',
    idOf: ({ enrollmentGroupId }) => enrollmentGroupId,
    target: (kind, enrollmentGroupId = '') => {
      switch (kind) {
        case 'one':
          return encodeEnrollmentGroupTarget({ kind: 'get-enrollment-group', enrollmentGroupId, apiVersion });
        case 'attestation':
          return encodeEnrollmentGroupTarget({
            kind: 'get-group-attestation-mechanism',
            enrollmentGroupId,
            apiVersion,
          });
        case 'bulk':
          return encodeCollectionTarget({ kind: 'bulk-enrollment-groups', apiVersion });
        case 'query':
          return encodeCollectionTarget({ kind: 'query-enrollment-groups', apiVersion });
        default:
          return kind satisfies never;
      }
    },
    encode: encodeEnrollmentGroup,
    decode: (body) => decodeEnrollmentGroup(body, answer),
    decodePage: (body) => decodeEnrollmentGroupPage(body),
    encodeBulk: encodeGroupBulkOperation,
    decodeBulk: (body) => decodeBulkResult('enrollmentGroups', body),
  };
}
