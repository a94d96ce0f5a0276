import type { DeviceCredential, DeviceRequest, DeviceResponse, FaultResponse } from '@endorse/emulator/core';
import type {
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  Secret,
  SessionAttestation,
  SessionRequestOptions,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import {
  LocalProtocolError,
  RemoteProtocolError,
  ServiceError,
  UnsupportedCapabilityError,
} from '@endorse/interface';
import { serviceErrorRemedy } from '@endorse/protocol';

/** The part of an emulator core that devices speak to. */
export interface DeviceRequestHandler {
  /** Answers any request of the device API. */
  handleDeviceRequest(request: DeviceRequest): DeviceResponse;
}

const capabilities: TransportCapabilities = Object.freeze({
  carrier: 'memory',
  attestations: Object.freeze(['tpm'] as const),
  refusals: Object.freeze({
    'symmetric-key': 'the memory transport stands on the TPM part of the emulator',
    x509: 'there is no handshake in memory that could show a certificate',
  }),
  challenge: 'request',
  proxy: false,
});

/**
 * Makes a transport whose service is an emulator core in the same process: no socket, no TLS, no clock of its own.
 * Requests are answered a microtask later, so that a virtual clock can drive everything.
 */
export function createMemoryTransport(core: DeviceRequestHandler): Transport {
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities,
    openSession: (target: RegistrationTarget, attestation: SessionAttestation) => {
      if (attestation.kind !== 'tpm') {
        throw new UnsupportedCapabilityError(`the memory transport does not carry ${attestation.kind}`, {
          required: attestation.kind,
          available: capabilities.attestations,
        });
      }
      return openSession(core, target.idScope);
    },
  } satisfies Transport);
}

function openSession(core: DeviceRequestHandler, idScope: string): RegistrationSession {
  let closed = false;
  const exchange = async (
    request: DeviceRequest,
    { signal }: SessionRequestOptions,
  ): Promise<Exclude<DeviceResponse, FaultResponse>> => {
    const check = (): void => {
      if (closed) {
        throw new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed', { state: 'closed' });
      }
      signal.throwIfAborted();
    };
    check();
    await Promise.resolve();
    check();
    const response = core.handleDeviceRequest(request);
    await Promise.resolve();
    check();
    if (response.outcome === 'fault') throw toError(response);
    return response;
  };
  const close = async (): Promise<void> => {
    closed = true;
  };
  return {
    async getAuthenticationChallenge(request, options) {
      const { registrationId, endorsementKey, storageRootKey } = request;
      const response = await exchange(
        { operation: 'register', idScope, registrationId, endorsementKey, storageRootKey, credential: none },
        options,
      );
      if (response.outcome !== 'challenge') throw unexpected(response);
      return { activationBlob: response.activationBlob, keyName: response.keyName };
    },
    async register({ sasToken, registrationInfo }, options) {
      const { registrationId, endorsementKey, storageRootKey, payload } = registrationInfo;
      const response = await exchange(
        {
          operation: 'register',
          idScope,
          registrationId,
          credential: toCredential(sasToken),
          ...(endorsementKey === undefined ? {} : { endorsementKey }),
          ...(storageRootKey === undefined ? {} : { storageRootKey }),
          ...(payload === undefined ? {} : { payload }),
        },
        options,
      );
      return toReply(response);
    },
    async queryOperationStatus({ sasToken, registrationId, operationId }, options) {
      const credential = toCredential(sasToken);
      const query = {
        operation: 'query-operation',
        idScope,
        registrationId,
        operationId,
        credential,
      } as const;
      return toReply(await exchange(query, options));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const none: DeviceCredential = Object.freeze({ kind: 'none' });

function toCredential(sasToken: Secret | undefined): DeviceCredential {
  return sasToken === undefined ? none : { kind: 'token', token: sasToken.revealText() };
}

function toReply(response: Exclude<DeviceResponse, FaultResponse>): RegistrationReply {
  if (response.outcome !== 'operation') throw unexpected(response);
  const { operation, retryAfterSeconds } = response;
  return retryAfterSeconds === undefined
    ? { operation }
    : { operation, retryAfterMs: retryAfterSeconds * 1000 };
}

function toError({ fault }: FaultResponse): ServiceError {
  const { status, errorCode, message, retryAfterSeconds } = fault;
  return new ServiceError(
    `the service answered ${status} (code ${errorCode}): ${message}`,
    {
      status,
      serviceCode: errorCode,
      retryAfterMs: retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000,
    },
    { remedy: serviceErrorRemedy(status, errorCode) },
  );
}

function unexpected({ outcome }: DeviceResponse): Error {
  // A request with a token that gets another challenge is, on every other carrier, refused with 401.
  return outcome === 'challenge'
    ? new ServiceError('the service answered 401: it asks for a challenge first', { status: 401 })
    : new RemoteProtocolError('ERR_REMOTE_UNEXPECTED', `the service answered with ${outcome}`, {
        evidence: { path: 'outcome', sample: outcome },
      });
}
