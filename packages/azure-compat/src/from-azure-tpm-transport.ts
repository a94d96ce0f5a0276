import type {
  AuthenticationChallenge,
  ChallengeRequest,
  Clock,
  JsonValue,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  Secret,
  SessionAttestation,
  SessionRequestOptions,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { InvalidArgumentError, LocalProtocolError, UnsupportedCapabilityError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { parseHostPort, validateIdScope, validateRegistrationId } from '@endorse/protocol';
import type {
  AzureDeviceRegistrationResult,
  AzureRegistrationRequest,
  AzureTpmProvisioningTransport,
} from './azure-types.ts';
import type { ForeignCallback } from './callbacks.ts';
import { ForeignCalls, toChallenge } from './foreign-session.ts';
import { fromAzureResult } from './operation-json.ts';

/** Options of {@link fromAzureTpmTransport}. */
export interface FromAzureTpmTransportOptions {
  /**
   * Where the transport carries the challenge: `request` for HTTP, `handshake` for AMQP. Default `handshake`, which is
   * right for both: after a lost connection it asks for a new challenge, at the price of a write to the TPM.
   */
  readonly challenge?: 'request' | 'handshake' | undefined;
  /** Carrier name in progress reports; default `azure`. */
  readonly carrier?: string | undefined;
  /** Told each answer of the service as the transport gave it. */
  readonly onResult?: ((result: unknown) => void) | undefined;
  /** Time; default the system clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Puts a TPM transport of the official SDK (`Http`, `Amqp`, `AmqpWs`) behind our contract.
 *
 * Give a function that makes one (`() => new Http()`) rather than an instance: the
 * official transports keep host, keys and token of their first registration, and
 * their HTTP transport would send the old token with the next challenge. An instance
 * serves one session at a time; `openSession` throws `ERR_LOCAL_STATE` for a second.
 * An abort rejects at once and calls the transport's `cancel`; what the official
 * HTTP transport has sent by then it cannot take back.
 *
 * Throws `ERR_INVALID_ARGUMENT` for an object without the methods.
 */
export function fromAzureTpmTransport(
  transport: AzureTpmProvisioningTransport | (() => AzureTpmProvisioningTransport),
  options: FromAzureTpmTransportOptions = {},
): Transport {
  const { challenge = 'handshake', carrier = 'azure' } = options;
  if (challenge !== 'request' && challenge !== 'handshake') {
    throw new InvalidArgumentError('challenge', 'must be request or handshake');
  }
  const create = typeof transport === 'function' ? transport : undefined;
  if (create === undefined) checkTransport(transport as AzureTpmProvisioningTransport);
  const capabilities: TransportCapabilities = Object.freeze({
    carrier,
    attestations: Object.freeze(['tpm'] as const),
    refusals: Object.freeze({
      'symmetric-key': 'this adapter is for TPM transports of the official SDK',
      x509: 'this adapter is for TPM transports of the official SDK',
    }),
    challenge,
    proxy: false,
  });
  let busy = false;
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities,
    openSession(target: RegistrationTarget, attestation: SessionAttestation): RegistrationSession {
      if (attestation.kind !== 'tpm') {
        throw new UnsupportedCapabilityError(`${carrier} does not carry ${attestation.kind} here`, {
          required: attestation.kind,
          available: capabilities.attestations,
        });
      }
      checkTarget(target);
      if (create !== undefined)
        return new AzureSession(checkTransport(create()), target, options, () => undefined);
      if (busy) {
        throw new LocalProtocolError(
          'ERR_LOCAL_STATE',
          'this transport of the official SDK is in use, and serves one device at a time',
          { state: 'busy', remedy: 'Give fromAzureTpmTransport() a function that makes a transport.' },
        );
      }
      busy = true;
      return new AzureSession(transport as AzureTpmProvisioningTransport, target, options, () => {
        busy = false;
      });
    },
  } satisfies Transport);
}

class AzureSession implements RegistrationSession {
  readonly #transport: AzureTpmProvisioningTransport;
  readonly #target: RegistrationTarget;
  readonly #calls: ForeignCalls;
  readonly #onResult: ((result: unknown) => void) | undefined;
  /** The token the transport holds. */
  #presented: Secret | undefined;

  constructor(
    transport: AzureTpmProvisioningTransport,
    target: RegistrationTarget,
    { onResult, clock = systemClock }: FromAzureTpmTransportOptions,
    onClosed: () => void,
  ) {
    this.#transport = transport;
    this.#target = target;
    this.#onResult = onResult;
    this.#calls = new ForeignCalls(
      {
        cancel: (callback) => transport.cancel(callback),
        disconnect: (callback) => transport.disconnect(callback),
      },
      clock,
      onClosed,
    );
  }

  async getAuthenticationChallenge(
    { endorsementKey, storageRootKey, payload }: ChallengeRequest,
    { signal }: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    const start = (callback: ForeignCallback<readonly [Buffer?]>): void => {
      forgetToken(this.#transport);
      this.#transport.setTpmInformation(Buffer.from(endorsementKey), Buffer.from(storageRootKey));
      this.#transport.getAuthenticationChallenge(this.#request({ payload }), callback);
    };
    this.#presented = undefined;
    const [challenge] = await this.#calls.call('get challenge', start, signal);
    return toChallenge(challenge);
  }

  async register(
    { sasToken, registrationInfo }: RegisterRequest,
    { signal }: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const { endorsementKey, storageRootKey, payload, forceRegistration } = registrationInfo;
    const request = this.#request({ payload, forceRegistration });
    await this.#present(request, sasToken, signal);
    return this.#reply(
      'register',
      (callback) => {
        // Again, because after a lost connection this may be another transport than the one that was challenged.
        if (endorsementKey !== undefined && storageRootKey !== undefined) {
          this.#transport.setTpmInformation(Buffer.from(endorsementKey), Buffer.from(storageRootKey));
        }
        this.#transport.registrationRequest(request, callback);
      },
      signal,
    );
  }

  async queryOperationStatus(
    { sasToken, operationId }: OperationStatusRequest,
    { signal }: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const request = this.#request({});
    await this.#present(request, sasToken, signal);
    return this.#reply(
      'query operation',
      (callback) => this.#transport.queryOperationStatus(request, operationId, callback),
      signal,
    );
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#calls.close();
  }

  #request(details: {
    readonly payload?: JsonValue | undefined;
    readonly forceRegistration?: boolean | undefined;
  }): AzureRegistrationRequest {
    const { provisioningHost, idScope, registrationId } = this.#target;
    const { payload, forceRegistration } = details;
    return {
      provisioningHost,
      idScope,
      registrationId,
      // The official type asks for an object, and the official transports send whatever JSON it is.
      ...(payload === undefined
        ? {}
        : { payload: payload as NonNullable<AzureRegistrationRequest['payload']> }),
      ...(forceRegistration === true ? { forceRegistration } : {}),
    };
  }

  /** Shows a token to the transport, once: on AMQP that finishes the handshake. */
  async #present(
    request: AzureRegistrationRequest,
    sasToken: Secret | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (sasToken === undefined || sasToken === this.#presented) return;
    const start = (callback: ForeignCallback<readonly []>): void =>
      this.#transport.respondToAuthenticationChallenge(request, sasToken.revealText(), callback);
    await this.#calls.call('respond to challenge', start, signal);
    this.#presented = sasToken;
  }

  async #reply(
    attempted: string,
    start: (callback: ForeignCallback<readonly [AzureDeviceRegistrationResult?, unknown?, number?]>) => void,
    signal: AbortSignal,
  ): Promise<RegistrationReply> {
    const [result, , pollingInterval] = await this.#calls.call(attempted, start, signal);
    this.#onResult?.(result);
    return fromAzureResult(attempted, result, pollingInterval);
  }
}

const methods = [
  'setTpmInformation',
  'getAuthenticationChallenge',
  'respondToAuthenticationChallenge',
  'registrationRequest',
  'queryOperationStatus',
  'cancel',
  'disconnect',
] as const;

function checkTransport(transport: AzureTpmProvisioningTransport): AzureTpmProvisioningTransport {
  const missing = methods.find((name) => typeof transport?.[name] !== 'function');
  if (missing !== undefined) throw new InvalidArgumentError('transport', `has no method ${missing}`);
  return transport;
}

function checkTarget({ provisioningHost, idScope, registrationId }: RegistrationTarget): void {
  parseHostPort(provisioningHost, { argument: 'target.provisioningHost' });
  validateIdScope(idScope, 'target.idScope');
  validateRegistrationId(registrationId, 'target.registrationId');
}

/** The official HTTP transport keeps its token for good and would send it with a challenge; all of them can set another. */
function forgetToken(
  transport: AzureTpmProvisioningTransport & { setSharedAccessSignature?(sas: string): void },
): void {
  transport.setSharedAccessSignature?.('');
}
