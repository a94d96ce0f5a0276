import type {
  AttestationKind,
  AuthenticationChallenge,
  ChallengeRequest,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  SessionRequestOptions,
} from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import type { HttpRequest, HttpRequestOptions, HttpResponse } from '@endorse/protocol';
import {
  decodeChallengeReply,
  decodeRegistrationReply,
  encodeChallengeHttpRequest,
  encodeOperationStatusHttpRequest,
  encodeRegisterHttpRequest,
  headerNames,
} from '@endorse/protocol';
import { checkRequestOptions, checkToken, requireSame, sessionClosed } from '@endorse/transport-socket';
import type { Connection } from './connection.ts';
import { exchange } from './exchange.ts';
import type { HttpSettings } from './options.ts';

/** What a session is made from. */
export interface HttpSessionParts {
  readonly target: RegistrationTarget;
  /** `https://host[:port]`. */
  readonly origin: string;
  readonly attestation: AttestationKind;
  readonly settings: HttpSettings;
  readonly connection: Connection;
}

/**
 * One registration over HTTPS.
 *
 * Requests share a connection and are made one at a time; a second one while the first is running rejects with
 * `ERR_LOCAL_STATE`. It keeps no token: each request carries the one it is given, the challenge request none.
 * After a failed or aborted request the next one opens a new connection.
 */
export class HttpSession implements RegistrationSession {
  readonly #parts: HttpSessionParts;
  readonly #closing = new AbortController();
  #running = false;
  #closed: Promise<void> | undefined;

  constructor(parts: HttpSessionParts) {
    this.#parts = parts;
  }

  async getAuthenticationChallenge(
    request: ChallengeRequest,
    options: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    const { target, attestation, settings } = this.#parts;
    checkRequestOptions(this.#closing.signal, options);
    if (attestation !== 'tpm') {
      throw new LocalProtocolError('ERR_LOCAL_STATE', `a session for ${attestation} has no challenge`, {
        state: attestation,
      });
    }
    requireSame('request.provisioningHost', request.provisioningHost, target.provisioningHost);
    requireSame('request.idScope', request.idScope, target.idScope);
    requireSame('request.registrationId', request.registrationId, target.registrationId);
    const attempted = `ask for the challenge of ${request.registrationId}`;
    const encoded = encodeChallengeHttpRequest(request, this.#requestOptions);
    const response = await this.#send(attempted, encoded, options.signal);
    return decodeChallengeReply(response, { nowMs: settings.clock.now(), attempted });
  }

  async register(request: RegisterRequest, options: SessionRequestOptions): Promise<RegistrationReply> {
    const { target, attestation, settings } = this.#parts;
    checkRequestOptions(this.#closing.signal, options);
    const { registrationId } = request.registrationInfo;
    requireSame('request.registrationInfo.registrationId', registrationId, target.registrationId);
    checkToken(attestation, request.sasToken);
    const attempted = `register ${registrationId}`;
    const encoded = encodeRegisterHttpRequest(target.idScope, request, this.#requestOptions);
    const response = await this.#send(attempted, encoded, options.signal);
    return decodeRegistrationReply(response, { nowMs: settings.clock.now(), attempted });
  }

  async queryOperationStatus(
    request: OperationStatusRequest,
    options: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const { target, attestation, settings } = this.#parts;
    checkRequestOptions(this.#closing.signal, options);
    requireSame('request.registrationId', request.registrationId, target.registrationId);
    checkToken(attestation, request.sasToken);
    const attempted = `query the operation of ${request.registrationId}`;
    const encoded = encodeOperationStatusHttpRequest(target.idScope, request, this.#requestOptions);
    const response = await this.#send(attempted, encoded, options.signal);
    return decodeRegistrationReply(response, { nowMs: settings.clock.now(), attempted });
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
    await this.#parts.connection.close();
  }

  get #requestOptions(): HttpRequestOptions {
    const { apiVersion, userAgent } = this.#parts.settings;
    return { apiVersion, userAgent };
  }

  async #send(attempted: string, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    if (this.#running) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', `${attempted}: another request is still running`, {
        state: 'busy',
      });
    }
    this.#running = true;
    const { origin, settings, connection } = this.#parts;
    const { logger, clock } = settings;
    const startedAt = clock.now();
    const signals = [signal, this.#closing.signal];
    try {
      const dispatcher = await connection.dispatcher();
      for (const { aborted, reason } of signals) if (aborted) throw reason;
      const { method, target } = request;
      logger.log('debug', 'request-sent', { attempted, method, origin, target });
      const response = await exchange(dispatcher, { attempted, origin, request }, settings, signals);
      logger.log('debug', 'reply-received', {
        attempted,
        status: response.status,
        bodyBytes: response.body.byteLength,
        requestId: response.headers[headerNames.requestId],
        durationMs: clock.now() - startedAt,
      });
      return response;
    } catch (error) {
      connection.drop();
      const code = (error as { code?: unknown } | undefined)?.code;
      logger.log('debug', 'request-failed', { attempted, code, durationMs: clock.now() - startedAt });
      throw error;
    } finally {
      this.#running = false;
    }
  }
}
