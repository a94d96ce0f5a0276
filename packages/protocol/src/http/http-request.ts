import type { ChallengeRequest, OperationStatusRequest, RegisterRequest, Secret } from '@endorse/interface';
import { encodeRegisterBody } from '../bodies/register-body.ts';
import {
  encodeOperationStatusTarget,
  encodeRegisterTarget,
  encodeStatusLookupTarget,
  type DeviceRegistrationName,
} from './device-target.ts';
import { headerNames, jsonAccept, jsonContentType } from './header-names.ts';

/** A complete HTTP request of the device API, for any HTTP client. Its headers may hold a token: do not log them. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Path and query. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; absent for a request without a body. */
  readonly body?: string;
}

/** What every request of the device API takes beside its subject. */
export interface HttpRequestOptions {
  /** Default {@link defaultApiVersion}. */
  readonly apiVersion?: string | undefined;
  /** Value of `user-agent`; left out by default. */
  readonly userAgent?: string | undefined;
}

/** The register request without a token that asks for a TPM challenge. Throws `ERR_INVALID_ARGUMENT` or `ERR_LOCAL_UNENCODABLE`. */
export function encodeChallengeHttpRequest(
  request: ChallengeRequest,
  options: HttpRequestOptions = {},
): HttpRequest {
  const { registrationId, endorsementKey, storageRootKey, payload } = request;
  return {
    method: 'PUT',
    target: encodeRegisterTarget({ ...name(request), apiVersion: options.apiVersion }),
    headers: headers(options, undefined, true),
    body: encodeRegisterBody({
      registrationId,
      endorsementKey,
      storageRootKey,
      ...(payload === undefined ? {} : { payload }),
    }),
  };
}

/** The register request with a token (X.509: without). Throws `ERR_INVALID_ARGUMENT` or `ERR_LOCAL_UNENCODABLE`. */
export function encodeRegisterHttpRequest(
  idScope: string,
  request: RegisterRequest,
  options: HttpRequestOptions = {},
): HttpRequest {
  const { registrationId, forceRegistration } = request.registrationInfo;
  return {
    method: 'PUT',
    target: encodeRegisterTarget({
      idScope,
      registrationId,
      forceRegistration,
      apiVersion: options.apiVersion,
    }),
    headers: headers(options, request.sasToken, true),
    body: encodeRegisterBody(request.registrationInfo),
  };
}

/** The request for an operation's status. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeOperationStatusHttpRequest(
  idScope: string,
  request: OperationStatusRequest,
  options: HttpRequestOptions = {},
): HttpRequest {
  const { registrationId, operationId } = request;
  return {
    method: 'GET',
    target: encodeOperationStatusTarget({
      idScope,
      registrationId,
      operationId,
      apiVersion: options.apiVersion,
    }),
    headers: headers(options, request.sasToken, false),
  };
}

/** The request for the present state of a registration. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeStatusLookupHttpRequest(
  registration: DeviceRegistrationName & { readonly sasToken?: Secret },
  options: HttpRequestOptions = {},
): HttpRequest {
  return {
    method: 'POST',
    target: encodeStatusLookupTarget({ ...name(registration), apiVersion: options.apiVersion }),
    headers: headers(options, registration.sasToken, true),
    body: encodeRegisterBody({ registrationId: registration.registrationId }),
  };
}

function name({ idScope, registrationId }: DeviceRegistrationName): DeviceRegistrationName {
  return { idScope, registrationId };
}

function headers(
  options: HttpRequestOptions,
  sasToken: Secret | undefined,
  hasBody: boolean,
): Readonly<Record<string, string>> {
  return {
    [headerNames.accept]: jsonAccept,
    ...(hasBody ? { [headerNames.contentType]: jsonContentType } : {}),
    ...(options.userAgent === undefined ? {} : { [headerNames.userAgent]: options.userAgent }),
    ...(sasToken === undefined ? {} : { [headerNames.authorization]: sasToken.revealText() }),
  };
}
