import type {
  JsonValue,
  RegistrationInfo,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  Secret,
  SessionAttestation,
  Transport,
} from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { RegistrationCancelledError } from '@endorse/registration-core';
import type {
  AzureDeviceRegistrationResult,
  AzureOperationCallback,
  AzureRegistrationRequest,
} from '../azure-types.ts';
import { toAzureResult } from '../operation-json.ts';

/** The public keys of a TPM, as its register requests repeat them. */
type TpmKeys = Required<Pick<RegistrationInfo, 'endorsementKey' | 'storageRootKey'>>;

/** One request at work on a session. */
type Send<Value> = (
  session: RegistrationSession,
  target: RegistrationTarget,
  signal: AbortSignal,
) => Promise<Value>;

/**
 * What official transports keep between their calls, on a transport of ours: how to authenticate, a token, a session
 * for the device at hand, and one request in flight.
 */
export class AzureRequests {
  readonly #transport: Transport;
  #attestation: SessionAttestation | undefined;
  #keys: TpmKeys | undefined;
  #sasToken: Secret | undefined;
  #session: { readonly key: string; readonly value: RegistrationSession } | undefined;
  /** Counts how to authenticate: a session is only good for what it was opened with. */
  #authentications = 0;
  #inFlight: AbortController | undefined;
  /** Pause between polls when the service does not say, in milliseconds; the official SDK's default. */
  pollingIntervalMs = 2000;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Sets how the requests that follow authenticate, and forgets how those before did. */
  authenticateWith(attestation: SessionAttestation, keys?: TpmKeys): void {
    this.#forgetToken();
    if (attestation.kind !== this.#attestation?.kind || attestation.kind === 'x509')
      this.#authentications += 1;
    this.#attestation = attestation;
    this.#keys = keys;
  }

  /** Sets the token of the requests that follow; the one before is overwritten. */
  holdToken(sasToken: Secret): void {
    this.#forgetToken();
    this.#sasToken = sasToken;
  }

  /** Asks for a challenge, without a token, even if one is held. */
  challenge(request: AzureRegistrationRequest): Promise<Buffer> {
    return this.#run(request, async (session, target, signal) => {
      if (this.#keys === undefined)
        throw outOfOrder('setTpmInformation() comes before getAuthenticationChallenge()');
      // A token that was for another key; no challenge may carry it.
      this.#forgetToken();
      const { activationBlob } = await session.getAuthenticationChallenge(
        { ...target, ...this.#keys, ...payloadOf(request) },
        { signal },
      );
      return Buffer.from(activationBlob);
    });
  }

  register(request: AzureRegistrationRequest, callback: AzureOperationCallback<Error>): void {
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

  /** Aborts the request in flight; harmless when there is none. */
  cancel(): void {
    this.#inFlight?.abort(new RegistrationCancelledError());
  }

  /** Aborts the request in flight, forgets the token and closes the session. */
  async close(): Promise<void> {
    this.cancel();
    this.#forgetToken();
    await this.#closeSession();
  }

  #operation(
    request: AzureRegistrationRequest,
    callback: AzureOperationCallback<Error>,
    send: Send<RegistrationReply>,
  ): void {
    this.#run(request, async (session, target, signal) => {
      const { operation, retryAfterMs } = await send(session, target, signal);
      return { result: toAzureResult(operation), pollingInterval: retryAfterMs ?? this.pollingIntervalMs };
    }).then(
      ({ result, pollingInterval }: { result: AzureDeviceRegistrationResult; pollingInterval: number }) =>
        process.nextTick(callback, null, result, undefined, pollingInterval),
      (error: unknown) => process.nextTick(callback, error),
    );
  }

  /** Runs one request on the session of its target. */
  async #run<Value>(request: AzureRegistrationRequest, send: Send<Value>): Promise<Value> {
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

  /** The session that is open, if it is for this device as it authenticates now; else a new one in its place. */
  async #sessionFor(target: RegistrationTarget): Promise<RegistrationSession> {
    if (this.#attestation === undefined) throw outOfOrder('nothing was set to authenticate with');
    const { provisioningHost, idScope, registrationId } = target;
    const key = JSON.stringify([provisioningHost, idScope, registrationId, this.#authentications]);
    if (this.#session?.key === key) return this.#session.value;
    await this.#closeSession();
    const value = this.#transport.openSession(target, this.#attestation);
    this.#session = { key, value };
    return value;
  }

  async #closeSession(): Promise<void> {
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
