import type { AuthenticationChallenge, RegistrationReply, RegistrationState } from '@endorse/interface';
import { RemoteProtocolError } from '@endorse/interface';
import { tryDecodeChallengeBody } from '../bodies/challenge-body.ts';
import { decodeOperationStatus } from '../bodies/operation-status.ts';
import { decodeRegistrationState } from '../bodies/registration-state.ts';
import { malformed } from '../json/malformed.ts';
import { headerNames, isJsonContentType } from './header-names.ts';
import { parseRetryAfter } from './retry-after.ts';
import { toServiceError } from './service-error.ts';

/** A complete HTTP answer, as any HTTP client can give it. */
export interface HttpResponse {
  /** The status code, 100 to 599. */
  readonly status: number;
  /** Lower-case names; a header that came twice is joined with `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** Options of the answer decoders. */
export interface HttpResponseOptions {
  /** The time now, in milliseconds since 1970; to read a `Retry-After` date. */
  readonly nowMs: number;
  /** What was being attempted, for messages; for example `register my-device`. */
  readonly attempted: string;
  /** What an operator should do about an error answer; default {@link serviceErrorRemedy}, which speaks to devices. */
  readonly remedyFor?: (status: number, serviceCode?: number) => string | undefined;
}

/**
 * Reads the answer to a register or operation status request.
 *
 * Throws `ServiceError` for a status from 400 up, `ERR_REMOTE_REDIRECT`, `ERR_REMOTE_UNEXPECTED`
 * (another status than 200 to 299), `ERR_REMOTE_CONTENT_TYPE`, `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`.
 */
export function decodeRegistrationReply(
  response: HttpResponse,
  options: HttpResponseOptions,
): RegistrationReply {
  checkSuccess(response, options);
  const operation = decodeOperationStatus(response.body);
  const retryAfterMs = parseRetryAfter(response.headers[headerNames.retryAfter], options.nowMs);
  return retryAfterMs === undefined ? { operation } : { operation, retryAfterMs };
}

/** Reads the answer to a status lookup. Throws as {@link decodeRegistrationReply}. */
export function decodeStatusLookupReply(
  response: HttpResponse,
  options: HttpResponseOptions,
): RegistrationState {
  checkSuccess(response, options);
  return decodeRegistrationState(response.body);
}

/**
 * Reads the answer to a TPM register request without a token: a 401 with a wrapped key.
 *
 * Throws `ERR_REMOTE_UNEXPECTED` when the service accepts without a challenge, `ServiceError` for any
 * error answer without a key, else as {@link decodeRegistrationReply}.
 */
export function decodeChallengeReply(
  response: HttpResponse,
  options: HttpResponseOptions,
): AuthenticationChallenge {
  if (response.status !== 401) {
    checkSuccess(response, options, false);
    throw malformed(
      'challenge',
      'status',
      `must be 401, is ${response.status}: registered without a challenge`,
      {
        code: 'ERR_REMOTE_UNEXPECTED',
      },
    );
  }
  checkContentType(response);
  const challenge = tryDecodeChallengeBody(response.body);
  if (challenge === undefined) throw toServiceError(response, options);
  const { activationBlob, keyName } = challenge;
  return { activationBlob, keyName };
}

/** Throws unless the status is 200 to 299 and, unless told otherwise, the body is JSON; as {@link decodeRegistrationReply} does. */
export function checkSuccess(response: HttpResponse, options: HttpResponseOptions, needsJson = true): void {
  const { status } = response;
  if (status >= 300 && status < 400) {
    // The service never redirects; following one would carry the token to another host.
    throw new RemoteProtocolError(
      'ERR_REMOTE_REDIRECT',
      `${options.attempted}: redirected with status ${status}`,
      {
        evidence: { path: 'status', sample: String(status) },
        remedy: 'Check that the host is the provisioning service and not a captive portal or proxy.',
      },
    );
  }
  if (status >= 400) throw toServiceError(response, options);
  if (status < 200) {
    throw malformed('answer', 'status', `must be 200 to 599, is ${status}`, {
      code: 'ERR_REMOTE_UNEXPECTED',
    });
  }
  if (needsJson) checkContentType(response);
}

/** Throws `ERR_REMOTE_CONTENT_TYPE` unless the body is JSON in UTF-8. */
export function checkContentType(response: HttpResponse): void {
  const contentType = response.headers[headerNames.contentType];
  if (isJsonContentType(contentType)) return;
  throw malformed(
    'answer',
    headerNames.contentType,
    `must be JSON in UTF-8, is ${contentType ? 'another' : 'missing'}`,
    {
      code: 'ERR_REMOTE_CONTENT_TYPE',
      sample: contentType,
    },
  );
}
