/**
 * Topics of the provisioning service. A device publishes its request and gets the answer on a topic that repeats the
 * request id, with the status, and the pause to make, in the topic and the body in the payload.
 */
import type { RegistrationReply } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { jsonContentType, headerNames } from '../http/header-names.ts';
import { decodeRegistrationReply } from '../http/http-response.ts';
import { formatRetryAfter } from '../http/retry-after.ts';
import { findOperationIdProblem, validateOperationId } from '../identifiers/operation-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import { decodePercent, findRequestIdProblem, requireRequestId, splitTopic } from './topic-query.ts';

/** The filter every device subscribes to, for the answers to its requests. */
export const registrationResponseFilter = '$dps/registrations/res/#';

/** A request of the device API, as its topic tells it. */
export type RegistrationTopic = {
  /** As it was sent, to be repeated in the answer. */
  readonly requestId: string;
} & ({ readonly kind: 'register' } | { readonly kind: 'operation-status'; readonly operationId: string });

/** The topic of an answer. */
export interface RegistrationResponseTopic {
  /** HTTP-like, 100 to 599. */
  readonly status: number;
  readonly requestId: string;
  /** Pause asked for, in whole seconds; as it was sent when it was decoded. */
  readonly retryAfter?: string;
}

/** An answer of the service as it arrives. */
export interface RegistrationResponseMessage {
  readonly topic: RegistrationResponseTopic;
  readonly payload: Uint8Array;
}

/** Topic of a register request. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeRegisterTopic(requestId: string): string {
  return `$dps/registrations/PUT/iotdps-register/?$rid=${checkRequestId(requestId)}`;
}

/** Topic of an operation status request. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeOperationStatusTopic(requestId: string, operationId: string): string {
  const operation = percentEncode(validateOperationId(operationId));
  return `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${checkRequestId(requestId)}&operationId=${operation}`;
}

/**
 * Decodes the topic of a request; undefined when it belongs to none of the service.
 * Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`.
 */
export function parseRegistrationTopic(topic: string): RegistrationTopic | undefined {
  const parts = splitTopic(topic);
  switch (parts.path) {
    case '$dps/registrations/PUT/iotdps-register':
      return { kind: 'register', requestId: requireRequestId(parts) };
    case '$dps/registrations/GET/iotdps-get-operationstatus': {
      const operationId = decodePercent('operationId', parts.query.get('operationid') ?? '');
      const problem = findOperationIdProblem(operationId);
      if (problem !== undefined) throw malformed('topic', 'operationId', problem);
      return { kind: 'operation-status', requestId: requireRequestId(parts), operationId };
    }
    default:
      return undefined;
  }
}

/** Topic of an answer; `$rid` comes first, which the official C# client needs. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function encodeRegistrationResponseTopic(answer: {
  readonly status: number;
  readonly requestId: string;
  /** Pause to ask for, in milliseconds; rounded up to seconds. */
  readonly retryAfterMs?: number | undefined;
}): string {
  const { status, requestId, retryAfterMs } = answer;
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new InvalidArgumentError('answer.status', 'must be an integer from 100 to 599', 'ERR_OUT_OF_RANGE');
  }
  const pause = retryAfterMs === undefined ? '' : `&retry-after=${formatRetryAfter(retryAfterMs)}`;
  return `$dps/registrations/res/${status}/?$rid=${checkRequestId(requestId)}${pause}`;
}

/** Decodes the topic of an answer; undefined when it is no answer's. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function parseRegistrationResponseTopic(topic: string): RegistrationResponseTopic | undefined {
  const parts = splitTopic(topic);
  const match = /^\$dps\/registrations\/res\/([^/]*)$/.exec(parts.path);
  if (match === null) return undefined;
  const [, status = ''] = match;
  if (!/^[1-5]\d\d$/.test(status)) {
    throw malformed('topic', 'status', 'must be a number from 100 to 599', { sample: status });
  }
  const retryAfter = parts.query.get('retry-after');
  return {
    status: Number(status),
    requestId: requireRequestId(parts),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** Reads an answer. Throws as the decoder of the same answer over HTTP: `ServiceError` from status 400 up, else `RemoteProtocolError`. */
export function decodeRegistrationResponseMessage(
  { topic, payload }: RegistrationResponseMessage,
  options: {
    /** What was being attempted, for messages; for example `register my-device`. */
    readonly attempted: string;
  },
): RegistrationReply {
  const headers = { [headerNames.contentType]: jsonContentType, [headerNames.retryAfter]: topic.retryAfter };
  // A pause is in seconds here, so that the time now does not matter.
  return decodeRegistrationReply({ status: topic.status, headers, body: payload }, { ...options, nowMs: 0 });
}

function checkRequestId(requestId: string): string {
  const problem = findRequestIdProblem(requestId);
  if (problem !== undefined) throw new InvalidArgumentError('requestId', problem);
  return requestId;
}
