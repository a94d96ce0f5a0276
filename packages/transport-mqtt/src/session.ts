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
import type { FailureContext } from '@endorse/transport-socket';
import { SessionRequests, checkRegisterRequest, checkStatusRequest } from '@endorse/transport-socket';
import type { MqttConnectionSlot } from './connection-slot.ts';
import type { MqttConnection, MqttRequest } from './mqtt-connection.ts';
import type { MqttSettings } from './options.ts';

/** Who can register over MQTT. */
export type MqttAttestation = Exclude<AttestationKind, 'tpm'>;

/** What a session is made from. */
export interface MqttSessionParts {
  readonly target: RegistrationTarget;
  readonly host: string;
  readonly port: number;
  readonly attestation: MqttAttestation;
  readonly settings: MqttSettings;
  readonly slot: MqttConnectionSlot;
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
  readonly #requests: SessionRequests;
  #closed: Promise<void> | undefined;
  /** What the present connection was opened with: only its fingerprint is kept. */
  #shownToken: string | undefined;

  constructor(parts: MqttSessionParts) {
    this.#parts = parts;
    const { clock, logger } = parts.settings;
    this.#requests = new SessionRequests({ clock, logger, onFailure: parts.slot.dropAfter });
  }

  async getAuthenticationChallenge(
    _request: ChallengeRequest,
    options: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    const { attestation } = this.#parts;
    this.#requests.check(options);
    throw new LocalProtocolError('ERR_LOCAL_STATE', `a session for ${attestation} has no challenge`, {
      state: attestation,
    });
  }

  async register(request: RegisterRequest, options: SessionRequestOptions): Promise<RegistrationReply> {
    this.#requests.check(options);
    checkRegisterRequest(this.#parts, request);
    const { registrationId, payload } = request.registrationInfo;
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
    this.#requests.check(options);
    checkStatusRequest(this.#parts, request);
    const { registrationId, operationId } = request;
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
    this.#requests.end();
    await this.#parts.slot.close();
  }

  async #send(
    attempted: string,
    token: Secret | undefined,
    signal: AbortSignal,
    requestOf: (requestId: string) => MqttRequest,
  ): Promise<RegistrationReply> {
    const request = requestOf(createGuid(systemRandom));
    const { handshakeTimeoutMs, replyTimeoutMs } = this.#parts.settings;
    return this.#requests.run(attempted, signal, async ({ signals, sent, received }) => {
      const bounds = { signals, attempted };
      const connection = await this.#connect(token, signals);
      await connection.ready({ ...bounds, timeoutMs: handshakeTimeoutMs });
      sent({ topic: request.topic });
      const answer = await connection.request(request, { ...bounds, timeoutMs: replyTimeoutMs });
      received({ status: answer.topic.status, bodyBytes: answer.payload.byteLength });
      return decodeRegistrationResponseMessage(answer, { attempted });
    });
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
        onIgnored: (reason) =>
          logger.log('debug', 'reply-ignored', { attempted: this.#requests.attempted, reason }),
      },
      { signals, attempted: this.#requests.attempted, timeoutMs: connectTimeoutMs },
    );
    logger.log('debug', 'connection-opened', { address: this.#context().address });
    return connection;
  }

  #context(): FailureContext {
    const { host, port } = this.#parts;
    return { attempted: this.#requests.attempted, address: formatHostPort({ host, port }) };
  }
}
