import type {
  JsonValue,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  Transport,
} from '@endorse/interface';
import {
  InvalidArgumentError,
  LocalProtocolError,
  Secret,
  UnsupportedCapabilityError,
} from '@endorse/interface';
import { RegistrationCancelledError } from '@endorse/registration-core';
import type {
  AzureDeviceRegistrationResult,
  AzureErrorCallback,
  AzureOperationCallback,
  AzureRegistrationRequest,
  AzureTpmProvisioningTransport,
} from './azure-types.ts';
import { answer, requireCallback } from './callbacks.ts';
import { toAzureResult } from './operation-json.ts';

/** Pause between polls when the service does not say, in milliseconds; the official SDK's default. */
const defaultPollingIntervalMs = 2000;

/**
 * Puts one of our transports behind the interface that the official
 * `ProvisioningDeviceClient` expects of its TPM transports. Each one made serves one
 * device at a time, as the interface demands; our transport behind it may be shared.
 *
 * Callbacks are called exactly once. `cancel` aborts the request in flight down to
 * its socket and calls back first; the request then calls back with
 * `RegistrationCancelledError`. Throws `ERR_INVALID_ARGUMENT` for anything but a
 * transport, and `ERR_UNSUPPORTED_CAPABILITY` when it does not carry a TPM.
 */
export function toAzureTransport(transport: Transport): AzureTpmProvisioningTransport<Error> {
  if (transport?.specificationVersion !== 'v1' || typeof transport.openSession !== 'function') {
    throw new InvalidArgumentError('transport', 'must be a Transport with specificationVersion v1');
  }
  const { attestations, carrier, refusals } = transport.capabilities;
  if (!attestations.includes('tpm')) {
    throw new UnsupportedCapabilityError(
      `${carrier} does not carry a TPM: ${refusals.tpm ?? 'its manifest does not list it'}`,
      { required: 'tpm', available: attestations },
    );
  }
  return new AzureTransport(transport);
}

class AzureTransport implements AzureTpmProvisioningTransport<Error> {
  readonly #transport: Transport;
  #keys: { readonly endorsementKey: Buffer; readonly storageRootKey: Buffer } | undefined;
  #sasToken: Secret | undefined;
  #session: { readonly key: string; readonly value: RegistrationSession } | undefined;
  #inFlight: AbortController | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  setTpmInformation(endorsementKey: Buffer, storageRootKey: Buffer): void {
    this.#keys = { endorsementKey, storageRootKey };
  }

  getAuthenticationChallenge(
    request: AzureRegistrationRequest,
    callback: (error: Error, tpmChallenge?: Buffer) => void,
  ): void {
    requireCallback(callback);
    answer(
      this.#run(request, async (session, target, signal) => {
        if (this.#keys === undefined)
          throw outOfOrder('setTpmInformation() comes before getAuthenticationChallenge()');
        // A token that was for another key; no challenge may carry it.
        this.#forgetToken();
        const { activationBlob } = await session.getAuthenticationChallenge(
          { ...target, ...this.#keys, ...payloadOf(request) },
          { signal },
        );
        return Buffer.from(activationBlob);
      }),
      callback,
    );
  }

  respondToAuthenticationChallenge(
    _request: AzureRegistrationRequest,
    sasToken: string,
    callback: AzureErrorCallback<Error>,
  ): void {
    requireCallback(callback);
    this.#forgetToken();
    this.#sasToken = Secret.fromText(sasToken);
    process.nextTick(callback, null);
  }

  registrationRequest(request: AzureRegistrationRequest, callback: AzureOperationCallback<Error>): void {
    this.#operation(request, callback, (session, { registrationId }, signal) =>
      session.register(
        {
          ...this.#credential(),
          registrationInfo: {
            registrationId,
            ...this.#keys,
            ...payloadOf(request),
            ...(request.forceRegistration === true ? { forceRegistration: true } : {}),
          },
        },
        { signal },
      ),
    );
  }

  queryOperationStatus(
    request: AzureRegistrationRequest,
    operationId: string,
    callback: AzureOperationCallback<Error>,
  ): void {
    this.#operation(request, callback, (session, { registrationId }, signal) =>
      session.queryOperationStatus({ ...this.#credential(), registrationId, operationId }, { signal }),
    );
  }

  cancel(callback: AzureErrorCallback<Error>): void {
    requireCallback(callback);
    // The official client is waiting for this callback, and drops whichever of the two comes second.
    process.nextTick(callback, null);
    this.#inFlight?.abort(new RegistrationCancelledError());
  }

  disconnect(callback: AzureErrorCallback<Error>): void {
    requireCallback(callback);
    this.#inFlight?.abort(new RegistrationCancelledError());
    this.#forgetToken();
    answer(this.#close(), (error) => callback(error));
  }

  #operation(
    request: AzureRegistrationRequest,
    callback: AzureOperationCallback<Error>,
    send: (
      session: RegistrationSession,
      target: RegistrationTarget,
      signal: AbortSignal,
    ) => Promise<RegistrationReply>,
  ): void {
    requireCallback(callback);
    this.#run(request, async (session, target, signal) => {
      const { operation, retryAfterMs } = await send(session, target, signal);
      return { result: toAzureResult(operation), pollingInterval: retryAfterMs ?? defaultPollingIntervalMs };
    }).then(
      ({ result, pollingInterval }: { result: AzureDeviceRegistrationResult; pollingInterval: number }) =>
        process.nextTick(callback, null, result, undefined, pollingInterval),
      (error: unknown) => process.nextTick(callback, error),
    );
  }

  /** Runs one request on the session of its target. */
  async #run<Value>(
    request: AzureRegistrationRequest,
    send: (session: RegistrationSession, target: RegistrationTarget, signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    if (this.#inFlight !== undefined) throw outOfOrder('another request is in flight');
    const controller = new AbortController();
    this.#inFlight = controller;
    try {
      const target = targetOf(request);
      const session = await this.#sessionFor(target);
      controller.signal.throwIfAborted();
      return await send(session, target, controller.signal);
    } finally {
      this.#inFlight = undefined;
    }
  }

  /** The session that is open, if it is for this device; else a new one in its place. */
  async #sessionFor(target: RegistrationTarget): Promise<RegistrationSession> {
    const key = JSON.stringify([target.provisioningHost, target.idScope, target.registrationId]);
    if (this.#session?.key === key) return this.#session.value;
    await this.#close();
    const value = this.#transport.openSession(target, { kind: 'tpm' });
    this.#session = { key, value };
    return value;
  }

  async #close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.value.close();
  }

  #credential(): { readonly sasToken?: Secret } {
    return this.#sasToken === undefined ? {} : { sasToken: this.#sasToken };
  }

  #forgetToken(): void {
    this.#sasToken?.dispose();
    this.#sasToken = undefined;
  }
}

function targetOf({
  provisioningHost,
  idScope,
  registrationId,
}: AzureRegistrationRequest): RegistrationTarget {
  if (registrationId === undefined) throw new InvalidArgumentError('request.registrationId', 'is missing');
  return { provisioningHost, idScope, registrationId };
}

function payloadOf({ payload }: AzureRegistrationRequest): { readonly payload?: JsonValue } {
  return payload === undefined ? {} : { payload };
}

function outOfOrder(problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_LOCAL_STATE', problem);
}
