import type {
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
import type {
  AzureDeviceRegistrationResult,
  AzurePollingTransport,
  AzureRegistrationRequest,
} from '../azure-types.ts';
import type { ForeignCallback } from '../callbacks.ts';
import { fromAzureResult, toAzureRequest } from '../operation-json.ts';
import { toChallenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import type { ForeignCalls } from './foreign-calls.ts';

/** What a session works with. */
export interface AzureSessionParts {
  readonly transport: AzurePollingTransport;
  readonly target: RegistrationTarget;
  readonly credentials: Credentials;
  readonly calls: ForeignCalls;
  /** Told each answer of the service as the transport gave it. */
  readonly onResult: ((result: unknown) => void) | undefined;
}

/** One registration over a transport of the official SDK, whatever the attestation. */
export class AzureSession implements RegistrationSession {
  readonly #parts: AzureSessionParts;
  /** The token the transport holds. */
  #presented: Secret | undefined;

  constructor(parts: AzureSessionParts) {
    this.#parts = parts;
  }

  async getAuthenticationChallenge(
    keys: ChallengeRequest,
    { signal }: SessionRequestOptions,
  ): Promise<AuthenticationChallenge> {
    const { credentials, calls, target } = this.#parts;
    if (credentials.challenge === undefined) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', 'only a TPM is challenged');
    }
    const start = (callback: ForeignCallback<readonly [Buffer?]>): void =>
      credentials.challenge?.(keys, toAzureRequest(target, keys), callback);
    this.#presented = undefined;
    const [challenge] = await calls.call('get challenge', start, signal);
    return toChallenge(challenge);
  }

  async register(
    { sasToken, registrationInfo }: RegisterRequest,
    { signal }: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const { transport, credentials, target } = this.#parts;
    const request = toAzureRequest(target, registrationInfo);
    await this.#present(request, sasToken, signal);
    return this.#reply(
      'register',
      (callback) => {
        credentials.announce?.(registrationInfo);
        transport.registrationRequest(request, callback);
      },
      signal,
    );
  }

  async queryOperationStatus(
    { sasToken, operationId }: OperationStatusRequest,
    { signal }: SessionRequestOptions,
  ): Promise<RegistrationReply> {
    const { transport, target } = this.#parts;
    const request = toAzureRequest(target, {});
    await this.#present(request, sasToken, signal);
    return this.#reply(
      'query operation',
      (callback) => transport.queryOperationStatus(request, operationId, callback),
      signal,
    );
  }

  close(): Promise<void> {
    return this.#parts.calls.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Shows a token to the transport, once. */
  async #present(
    request: AzureRegistrationRequest,
    sasToken: Secret | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (sasToken === undefined || sasToken === this.#presented) return;
    const { credentials, calls } = this.#parts;
    const start = (callback: ForeignCallback<readonly []>): void =>
      credentials.present(request, sasToken.revealText(), callback);
    await calls.call('authenticate', start, signal);
    this.#presented = sasToken;
  }

  async #reply(
    attempted: string,
    start: (callback: ForeignCallback<readonly [AzureDeviceRegistrationResult?, unknown?, number?]>) => void,
    signal: AbortSignal,
  ): Promise<RegistrationReply> {
    const [result, , pollingInterval] = await this.#parts.calls.call(attempted, start, signal);
    this.#parts.onResult?.(result);
    return fromAzureResult(attempted, result, pollingInterval);
  }
}
