import type {
  JsonValue,
  RegistrationOperationStatus,
  RegistrationReply,
  RegistrationTarget,
} from '@endorse/interface';
import { RemoteProtocolError, ServiceError } from '@endorse/interface';
import { decodeOperationStatus, encodeOperationStatus } from '@endorse/protocol';
import type { AzureDeviceRegistrationResult, AzureRegistrationRequest } from './azure-types.ts';

/** A request in the words of the official SDK. */
export function toAzureRequest(
  { provisioningHost, idScope, registrationId }: RegistrationTarget,
  details: { readonly payload?: JsonValue; readonly forceRegistration?: boolean },
): AzureRegistrationRequest {
  const { payload, forceRegistration } = details;
  return {
    registrationId,
    provisioningHost,
    idScope,
    // The official type asks for an object, and the official transports send whatever JSON it is.
    ...(payload === undefined
      ? {}
      : { payload: payload as NonNullable<AzureRegistrationRequest['payload']> }),
    ...(forceRegistration === true ? { forceRegistration } : {}),
  };
}

/** The answer of the service as the official SDK shows it: parsed JSON, blobs in base64. */
export function toAzureResult(operation: RegistrationOperationStatus): AzureDeviceRegistrationResult {
  // The codec of the wire is the only place that knows the JSON; what it wrote is of this shape.
  return JSON.parse(encodeOperationStatus(operation)) as AzureDeviceRegistrationResult;
}

/**
 * Reads an answer that a transport of the official SDK called back with.
 *
 * Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_UNEXPECTED`, and a retryable `ServiceError`
 * for `registering`, the word those transports make up for a service that is too busy.
 */
export function fromAzureResult(
  attempted: string,
  result: unknown,
  pollingInterval: unknown,
): RegistrationReply {
  const retryAfterMs = typeof pollingInterval === 'number' ? pollingInterval : undefined;
  if (typeof result !== 'object' || result === null) {
    throw new RemoteProtocolError(
      'ERR_REMOTE_UNEXPECTED',
      `${attempted}: the transport called back without a result`,
    );
  }
  if ('status' in result && result.status === 'registering') {
    throw new ServiceError(`${attempted}: the service is too busy`, { status: 429, retryAfterMs });
  }
  const operation = decodeOperationStatus(JSON.stringify(result));
  return { operation, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
