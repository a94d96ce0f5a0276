import { isEndorseError, type RandomSource, type Clock } from '@endorse/interface';
import {
  createGuid,
  encodeServiceErrorBody,
  formatTimestamp,
  headerNames,
  jsonContentType,
} from '@endorse/protocol';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import type { HttpAnswer } from './http-call.ts';

/** What answers are stamped with. */
export interface Stamps {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomSource;
}

/** Makes a JSON answer of the provisioning service with its usual headers. */
export function jsonAnswer(
  stamps: Stamps,
  status: number,
  body: string,
  more: readonly string[] = [],
): HttpAnswer {
  return {
    status,
    headers: [...commonHeaders, headerNames.requestId, createGuid(stamps.random), ...more],
    body,
  };
}

/** Makes an answer without a body, status 204. */
export function emptyAnswer(stamps: Stamps): HttpAnswer {
  return {
    status: 204,
    headers: ['strict-transport-security', hsts, headerNames.requestId, createGuid(stamps.random)],
    body: '',
  };
}

/** Writes a fault the way the provisioning service does. */
export function faultAnswer(stamps: Stamps, fault: ServiceFault, more: readonly string[] = []): HttpAnswer {
  const { status, errorCode, message, reason, retryAfterSeconds } = fault;
  const trackingId = createGuid(stamps.random);
  const timestampUtc = formatTimestamp(stamps.clock.now());
  const info = reason === undefined ? {} : { info: { reason } };
  const headers = [
    ...commonHeaders,
    headerNames.requestId,
    trackingId,
    headerNames.errorCode,
    String(errorCode),
    ...more,
  ];
  if (retryAfterSeconds !== undefined) headers.push(headerNames.retryAfter, String(retryAfterSeconds));
  return {
    status,
    headers,
    body: encodeServiceErrorBody({ errorCode, trackingId, message, ...info, timestampUtc }),
  };
}

/** The fault that a decoder's error stands for; rethrows anything that no decoder throws. */
export function faultOf(error: unknown, where: 'target' | 'body'): ServiceFault {
  if (!isEndorseError(error) || error.fault !== 'peer') throw error;
  if (error.code === 'ERR_REMOTE_TOO_LARGE') return faults.tooLarge(error.message);
  return where === 'target'
    ? faults.malformedRequest(error.message)
    : faults.invalidArgument('The request body is invalid.', error.message);
}

const hsts = 'max-age=31536000; includeSubDomains';
const commonHeaders: readonly string[] = ['content-type', jsonContentType, 'strict-transport-security', hsts];
