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
import { LocalProtocolError } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import {
  createGuid,
  decodeRegistrationResponseMessage,
  encodeOperationStatusTopic,
  encodeRegisterBody,
  encodeRegisterTopic,
  encodeRegistrationUserName,
  formatHostPort,
} from '@endorse/protocol';
import { checkRequestOptions, checkToken, requireSame, sessionClosed } from '@endorse/transport-socket';
import type { FailureContext } from './connection-errors.ts';
import type { ConnectionSlot } from './connection-slot.ts';
import type { MqttConnection, MqttRequest } from './mqtt-connection.ts';
import type { MqttSettings } from './options.ts';

/** What a session is made from. */
export interface MqttSessionParts {
  readonly target: RegistrationTarget;
  readonly host: string;
  readonly port: number;
  readonly attestation: Exclude<AttestationKind, 'tpm'>;
  readonly settings: MqttSettings;
  readonly slot: ConnectionSlot;
}

/**
 * One registration over MQTT.
 *
 * Requests share a connection, which was opened with the token of the first; another token opens another one. They are
 * made one at a time; a second one while the first is running rejects with `ERR_LOCAL_STATE`. An error answer leaves the
 * connection as it is, anything else that fails takes it down, and the next request opens a new one.
 */
export class MqttSession implements RegistrationSession {
  readonly #parts: MqttSessionParts;
  readonly #closing = new AbortController();
  #attempted = 'open the session';
  #running = false;
  #closed: Promise<void> | undefined;
  /** What the present connection was opened with: only its fingerprint is kept. */
  #shownToken: string | undefined;

  constructor(parts: MqttSessionParts) {
    this.#parts = parts;
  }

  async getAuthenticationChallenge(
    _request: ChallengeRequest,
    options: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    const { attestation } = this.#parts;
    checkRequestOptions(this.#closing.signal, options);
    throw new LocalProtocolError('ERR_LOCAL_STATE', `a session for ${attestation} has no challenge`, {
      state: attestation,
    });
  }

  async register(request: RegisterRequest, options: SessionRequestOptions): Promise<RegistrationReply> {
    const { target, attestation } = this.#parts;
    checkRequestOptions(this.#closing.signal, options);
    const { registrationId, payload } = request.registrationInfo;
    requireSame('request.registrationInfo.registrationId', registrationId, target.registrationId);
    checkToken(attestation, request.sasToken);
    // Neither the keys of a TPM nor forceRegistration have a place over MQTT.
    const body = encodeRegisterBody({ registrationId, ...(payload === undefined ? {} : { payload }) });
    return this.#send(`register ${registrationId}`, request.sasToken, options.signal, (requestId) => ({
      topic: encodeRegisterTopic(requestId),
      body,
      requestId,
    }));
  }

  async queryOperationStatus(
    request: OperationStatusRequest,
    options: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const { target, attestation } = this.#parts;
    checkRequestOptions(this.#closing.signal, options);
    const { registrationId, operationId } = request;
    requireSame('request.registrationId', registrationId, target.registrationId);
    checkToken(attestation, request.sasToken);
    const attempted = `query the operation of ${registrationId}`;
    return this.#send(attempted, request.sasToken, options.signal, (requestId) => ({
      topic: encodeOperationStatusTopic(requestId, operationId),
      // What the official clients send.
      body: ' ',
      requestId,
    }));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort(sessionClosed());
    await this.#parts.slot.close();
  }

  async #send(
    attempted: string,
    token: Secret | undefined,
    signal: AbortSignal,
    requestOf: (requestId: string) => MqttRequest,
  ): Promise<RegistrationReply> {
    const request = requestOf(createGuid(systemRandom));
    if (this.#running) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', `${attempted}: another request is still running`, {
        state: 'busy',
      });
    }
    this.#running = true;
    this.#attempted = attempted;
    const { settings, slot } = this.#parts;
    const { logger, clock } = settings;
    const startedAt = clock.now();
    const bounds = { signals: [signal, this.#closing.signal], attempted };
    try {
      const connection = await this.#connect(token, bounds.signals);
      await connection.ready({ ...bounds, timeoutMs: settings.handshakeTimeoutMs });
      logger.log('debug', 'request-sent', { attempted, topic: request.topic });
      const answer = await connection.request(request, { ...bounds, timeoutMs: settings.replyTimeoutMs });
      const { status } = answer.topic;
      logger.log('debug', 'reply-received', {
        attempted,
        status,
        bodyBytes: answer.payload.byteLength,
        durationMs: clock.now() - startedAt,
      });
      return decodeRegistrationResponseMessage(answer, { attempted });
    } catch (error) {
      // An error answer says nothing against the connection.
      const { code, fault } = (error ?? {}) as { readonly code?: unknown; readonly fault?: unknown };
      if (fault !== 'service' || slot.current === undefined) slot.drop();
      logger.log('debug', 'request-failed', { attempted, code, durationMs: clock.now() - startedAt });
      throw error;
    } finally {
      this.#running = false;
    }
  }

  /** The connection that the token was shown on, or is shown on now. */
  async #connect(token: Secret | undefined, signals: readonly AbortSignal[]): Promise<MqttConnection> {
    const { slot, settings, target } = this.#parts;
    const { current } = slot;
    if (current !== undefined && this.#shownToken === token?.fingerprint) return current;
    this.#shownToken = token?.fingerprint;
    const { apiVersion, userAgent: clientVersion, keepAliveSeconds, connectTimeoutMs, logger } = settings;
    const connection = await slot.open(
      {
        clientId: target.registrationId,
        userName: encodeRegistrationUserName({ ...target, apiVersion, clientVersion }),
        password: token?.revealText(),
        keepAliveSeconds,
        context: () => this.#context(),
        onIgnored: (reason) => logger.log('debug', 'reply-ignored', { attempted: this.#attempted, reason }),
      },
      { signals, attempted: this.#attempted, timeoutMs: connectTimeoutMs },
    );
    logger.log('debug', 'connection-opened', { address: this.#context().address });
    return connection;
  }

  #context(): FailureContext {
    const { host, port } = this.#parts;
    return { attempted: this.#attempted, address: formatHostPort({ host, port }) };
  }
}
