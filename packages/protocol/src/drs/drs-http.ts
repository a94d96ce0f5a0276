/** The `/drs/` dialect as HTTP requests and answers, for any HTTP client. */
import type { JsonValue } from '@endorse/interface';
import { headerNames, jsonAccept, jsonContentType } from '../http/header-names.ts';
import type { HttpRequest } from '../http/http-request.ts';
import type { HttpResponse, HttpResponseOptions } from '../http/http-response.ts';
import { checkContentType, checkSuccess } from '../http/http-response.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import { toServiceError } from '../http/service-error.ts';
import { decodeDrsProgressUrl, encodeDrsConfirmation, type DrsConfirmation } from './drs-confirmation.ts';
import { decodeDrsProgress, type DrsProgress } from './drs-progress.ts';
import {
  decodeDrsOperation,
  encodeDrsRegisterBody,
  tryDecodeDrsChallenge,
  type DrsChallenge,
  type DrsOperation,
} from './drs-register.ts';
import {
  drsMethods,
  encodeDrsRegisterTarget,
  encodeDrsTrustConfirmationTarget,
  type DrsTargetOptions,
} from './drs-target.ts';

/** The answer to `register-me`. */
export type DrsRegisterReply =
  | ({ readonly kind: 'challenge' } & DrsChallenge)
  | ({
      readonly kind: 'operation';
      /** Pause the service asked for, in milliseconds; absent when it did not say. Not yet capped. */
      readonly retryAfterMs?: number;
    } & DrsOperation);

/** The request that shows the endorsement key. Throws as `encodeDrsRegisterBody`. */
export function encodeDrsRegisterHttpRequest(
  request: DrsTargetOptions & { readonly endorsementKey: Uint8Array; readonly properties?: JsonValue },
): HttpRequest {
  return {
    method: drsMethods.register,
    target: encodeDrsRegisterTarget(request),
    headers: postHeaders,
    body: encodeDrsRegisterBody(request),
  };
}

/** The request that returns the decrypted nonce; do not log its body. Throws as `encodeDrsConfirmation`. */
export function encodeDrsConfirmationHttpRequest(request: DrsTargetOptions & DrsConfirmation): HttpRequest {
  return {
    method: drsMethods['trust-confirmation'],
    target: encodeDrsTrustConfirmationTarget(request),
    headers: postHeaders,
    body: encodeDrsConfirmation(request),
  };
}

/** The request for an operation's progress, at a target of `resolveDrsProgressTarget` or `encodeDrsOperationTarget`. */
export function encodeDrsProgressHttpRequest(target: string): HttpRequest {
  return { method: drsMethods.operation, target, headers: { [headerNames.accept]: jsonAccept } };
}

/**
 * Reads the answer to `register-me`: 401 with a challenge, or 2xx with an operation.
 *
 * Throws `ServiceError` for any other status from 400 up and a 401 without a challenge, `ERR_REMOTE_REDIRECT`,
 * `ERR_REMOTE_UNEXPECTED`, `ERR_REMOTE_CONTENT_TYPE`, `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`.
 */
export function decodeDrsRegisterReply(
  response: HttpResponse,
  options: HttpResponseOptions,
): DrsRegisterReply {
  if (response.status === 401) {
    checkContentType(response);
    const challenge = tryDecodeDrsChallenge(response.body);
    if (challenge === undefined) throw toServiceError(response, options);
    return { kind: 'challenge', ...challenge };
  }
  checkSuccess(response, options);
  return { kind: 'operation', ...decodeDrsOperation(response.body), ...pause(response, options) };
}

/** Reads the answer to a trust confirmation. Throws as {@link decodeDrsRegisterReply}. */
export function decodeDrsConfirmationReply(
  response: HttpResponse,
  options: HttpResponseOptions,
): {
  readonly progressUrl: string;
  /** Pause the service asked for, in milliseconds; absent when it did not say. Not yet capped. */
  readonly retryAfterMs?: number;
} {
  checkSuccess(response, options);
  return { progressUrl: decodeDrsProgressUrl(response.body), ...pause(response, options) };
}

/** Reads the answer of a progress URL; 202 is `assigning`, whatever its body. Throws as {@link decodeDrsRegisterReply}. */
export function decodeDrsProgressReply(
  response: HttpResponse,
  options: HttpResponseOptions,
): {
  readonly progress: DrsProgress;
  /** Pause the service asked for, in milliseconds; absent when it did not say. Not yet capped. */
  readonly retryAfterMs?: number;
} {
  const running = response.status === 202;
  checkSuccess(response, options, !running);
  const progress = running ? ({ status: 'assigning' } as const) : decodeDrsProgress(response.body);
  return { progress, ...pause(response, options) };
}

const postHeaders = Object.freeze({
  [headerNames.accept]: jsonAccept,
  [headerNames.contentType]: jsonContentType,
});

function pause(response: HttpResponse, { nowMs }: HttpResponseOptions): { readonly retryAfterMs?: number } {
  const retryAfterMs = parseRetryAfter(response.headers[headerNames.retryAfter], nowMs);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}
