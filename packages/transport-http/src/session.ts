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
import type { HttpRequest, HttpRequestOptions, HttpResponse } from '@endorse/protocol';
import {
  decodeChallengeReply,
  decodeRegistrationReply,
  encodeChallengeHttpRequest,
  encodeOperationStatusHttpRequest,
  encodeRegisterHttpRequest,
  headerNames,
} from '@endorse/protocol';
import {
  SessionRequests,
  checkChallengeRequest,
  checkRegisterRequest,
  checkStatusRequest,
} from '@endorse/transport-socket';
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
  readonly #requests: SessionRequests;
  #closed: Promise<void> | undefined;

  constructor(parts: HttpSessionParts) {
    this.#parts = parts;
    const { clock, logger } = parts.settings;
    this.#requests = new SessionRequests({ clock, logger, onFailure: () => parts.connection.drop() });
  }

  async getAuthenticationChallenge(
    request: ChallengeRequest,
    options: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    const { settings } = this.#parts;
    this.#requests.check(options);
    checkChallengeRequest(this.#parts, request);
    const attempted = `ask for the challenge of ${request.registrationId}`;
    const encoded = encodeChallengeHttpRequest(request, this.#requestOptions);
    const response = await this.#send(attempted, encoded, options.signal);
    return decodeChallengeReply(response, { nowMs: settings.clock.now(), attempted });
  }

  async register(request: RegisterRequest, options: SessionRequestOptions): Promise<RegistrationReply> {
    const { target, settings } = this.#parts;
    this.#requests.check(options);
    checkRegisterRequest(this.#parts, request);
    const attempted = `register ${request.registrationInfo.registrationId}`;
    const encoded = encodeRegisterHttpRequest(target.idScope, request, this.#requestOptions);
    const response = await this.#send(attempted, encoded, options.signal);
    return decodeRegistrationReply(response, { nowMs: settings.clock.now(), attempted });
  }

  async queryOperationStatus(
    request: OperationStatusRequest,
    options: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const { target, settings } = this.#parts;
    this.#requests.check(options);
    checkStatusRequest(this.#parts, request);
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
    this.#requests.end();
    await this.#parts.connection.close();
  }

  get #requestOptions(): HttpRequestOptions {
    const { apiVersion, userAgent } = this.#parts.settings;
    return { apiVersion, userAgent };
  }

  #send(attempted: string, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { origin, settings, connection } = this.#parts;
    return this.#requests.run(attempted, signal, async ({ signals, sent, received }) => {
      const dispatcher = await connection.dispatcher();
      for (const { aborted, reason } of signals) if (aborted) throw reason;
      const { method, target } = request;
      sent({ method, origin, target });
      const response = await exchange(dispatcher, { attempted, origin, request }, settings, signals);
      const { status, body, headers } = response;
      received({ status, bodyBytes: body.byteLength, requestId: headers[headerNames.requestId] });
      return response;
    });
  }
}
