import type {
  AttestationKind,
  AuthenticationChallenge,
  ChallengeRequest,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  Secret,
  SessionRequestOptions,
} from '@endorse/interface';
import { LocalProtocolError, TransportError } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import type { AmqpMessage } from '@endorse/protocol';
import {
  createGuid,
  decodeOperationReply,
  encodeOperationStatusMessage,
  encodeRegisterMessage,
  encodeRegistrationLink,
  formatHostPort,
  registrationKeyName,
} from '@endorse/protocol';
import {
  SessionRequests,
  checkChallengeRequest,
  checkRegisterRequest,
  checkStatusRequest,
  waitFor,
} from '@endorse/transport-socket';
import type { AmqpConnection, RequestBounds } from './amqp-connection.ts';
import type { AmqpConnectionSlot } from './connection-slot.ts';
import type { AmqpFailureContext } from './connection-errors.ts';
import { violationError } from './connection-errors.ts';
import type { AmqpSettings } from './options.ts';
import type { NamedMechanism, TpmExchange } from './sasl-mechanism.ts';
import { plainMechanism, tpmMechanism } from './sasl-mechanism.ts';

/** What a session is made from. */
export interface AmqpSessionParts {
  readonly target: RegistrationTarget;
  readonly host: string;
  readonly port: number;
  readonly attestation: AttestationKind;
  readonly settings: AmqpSettings;
  readonly slot: AmqpConnectionSlot;
}

/**
 * One registration over AMQP.
 *
 * The connection that a TPM is challenged on is the one it registers and polls on: its token is shown in SASL, once.
 * With a shared key, another token opens another connection. Requests are made one at a time; a second one while the
 * first is running rejects with `ERR_LOCAL_STATE`. A refused request leaves the connection as it is, anything else that
 * fails takes it down, and for a TPM the next request then has to be for a challenge.
 */
export class AmqpSession implements RegistrationSession {
  readonly #parts: AmqpSessionParts;
  readonly #requests: SessionRequests;
  #closed: Promise<void> | undefined;
  /** TPM: the exchange whose challenge waits for a token. */
  #exchange: TpmExchange | undefined;
  #wasChallenged = false;
  /** What the present connection was opened with: only its fingerprint is kept. */
  #shownToken: string | undefined;

  constructor(parts: AmqpSessionParts) {
    this.#parts = parts;
    const { clock, logger } = parts.settings;
    this.#requests = new SessionRequests({ clock, logger, onFailure: parts.slot.dropAfter });
  }

  async getAuthenticationChallenge(
    request: ChallengeRequest,
    options: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    this.#requests.check(options);
    checkChallengeRequest(this.#parts, request);
    const attempted = `ask for the challenge of ${request.registrationId}`;
    return this.#requests.run(attempted, options.signal, async ({ signals, sent, received }) => {
      sent();
      const activationBlob = await this.#challenge(request, signals);
      received();
      return { activationBlob, keyName: registrationKeyName };
    });
  }

  async register(request: RegisterRequest, options: SessionRequestOptions): Promise<RegistrationReply> {
    this.#requests.check(options);
    checkRegisterRequest(this.#parts, request);
    const { registrationId } = request.registrationInfo;
    const message = encodeRegisterMessage(request);
    return this.#exchangeMessages(`register ${registrationId}`, message, request.sasToken, options.signal);
  }

  async queryOperationStatus(
    request: OperationStatusRequest,
    options: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    this.#requests.check(options);
    checkStatusRequest(this.#parts, request);
    const message = encodeOperationStatusMessage(request);
    const attempted = `query the operation of ${request.registrationId}`;
    return this.#exchangeMessages(attempted, message, request.sasToken, options.signal);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#requests.end();
    this.#exchange = undefined;
    await this.#parts.slot.close();
  }

  /** Opens a connection and takes SASL up to the whole blob. */
  async #challenge(request: ChallengeRequest, signals: readonly AbortSignal[]): Promise<Uint8Array> {
    const { slot, settings } = this.#parts;
    const received = Promise.withResolvers<Uint8Array>();
    const exchange = tpmMechanism(request, {
      onChallenge: received.resolve,
      onViolation: (error) => {
        received.reject(error);
        // It may also come after the challenge, when nobody waits for that any more.
        slot.current?.fail(violationError(error, this.#context()));
      },
    });
    received.promise.catch(() => undefined);
    const connection = await this.#open(exchange, undefined, signals);
    this.#wasChallenged = true;
    const bounds = { signals: [...signals, connection.ended], attempted: this.#requests.attempted };
    const timeoutMs = settings.handshakeTimeoutMs;
    const blob = await waitFor<Uint8Array>(
      { ...bounds, timeoutMs, state: 'awaiting-challenge' },
      (outcome) => {
        received.promise.then(outcome.resolve, outcome.reject);
      },
    );
    this.#exchange = slot.current === connection ? exchange : undefined;
    return blob;
  }

  async #exchangeMessages(
    attempted: string,
    message: AmqpMessage,
    token: Secret | undefined,
    signal: AbortSignal,
  ): Promise<RegistrationReply> {
    const { settings } = this.#parts;
    const answer = await this.#requests.run(attempted, signal, async ({ signals, sent, received }) => {
      sent();
      const connection = await this.#connect(token, signals);
      const bounds = { signals, attempted };
      await connection.ready({ ...bounds, timeoutMs: settings.handshakeTimeoutMs });
      const id = createGuid(systemRandom);
      const reply = await connection.request(message, id, { ...bounds, timeoutMs: settings.replyTimeoutMs });
      received();
      return reply;
    });
    return decodeOperationReply(answer, { nowMs: settings.clock.now() });
  }

  /** The connection that a token has been shown on, or is shown on now. */
  async #connect(token: Secret | undefined, signals: readonly AbortSignal[]): Promise<AmqpConnection> {
    const { attestation, slot } = this.#parts;
    const { current } = slot;
    switch (attestation) {
      case 'x509':
        return current ?? this.#open(undefined, undefined, signals);
      case 'symmetric-key':
        if (current !== undefined && this.#shownToken === token?.fingerprint) return current;
        return this.#open(this.#plain(token as Secret), token, signals);
      case 'tpm':
        if (current === undefined) throw this.#challengeMissing();
        this.#exchange?.answer(token as Secret);
        this.#exchange = undefined;
        return current;
      default:
        return attestation satisfies never;
    }
  }

  #plain(token: Secret): NamedMechanism {
    return plainMechanism(encodeRegistrationLink(this.#parts.target), token, {
      onViolation: (error) => this.#parts.slot.current?.fail(violationError(error, this.#context())),
    });
  }

  #challengeMissing(): Error {
    if (!this.#wasChallenged) {
      return new LocalProtocolError(
        'ERR_LOCAL_STATE',
        `${this.#requests.attempted}: over AMQP a TPM is challenged first, on the same session`,
        { state: 'not-challenged' },
      );
    }
    return new TransportError(
      'ERR_TRANSPORT_LOST',
      `${this.#requests.attempted}: the connection is gone, and with it the challenge that the token answers`,
      { phase: 'send', retryable: true, remedy: 'Ask for a new challenge.' },
    );
  }

  async #open(
    mechanism: NamedMechanism | undefined,
    token: Secret | undefined,
    signals: readonly AbortSignal[],
  ): Promise<AmqpConnection> {
    const { slot, settings, target, host } = this.#parts;
    const { apiVersion, userAgent: clientVersion, connectTimeoutMs } = settings;
    const linkAddress = encodeRegistrationLink(target);
    const bounds: RequestBounds = {
      signals,
      attempted: this.#requests.attempted,
      timeoutMs: connectTimeoutMs,
    };
    this.#exchange = undefined;
    this.#shownToken = token?.fingerprint;
    const parts = { host, linkAddress, apiVersion, clientVersion, mechanism, context: () => this.#context() };
    const connection = await slot.open(parts, bounds);
    settings.logger.log('debug', 'connection-opened', { address: this.#context().address });
    return connection;
  }

  #context(): AmqpFailureContext {
    const { host, port, settings } = this.#parts;
    return {
      attempted: this.#requests.attempted,
      address: formatHostPort({ host, port }),
      nowMs: settings.clock.now(),
    };
  }
}
