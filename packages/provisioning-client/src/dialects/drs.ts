/** The `/drs/` dialect over a pump: `register-me`, `trust-confirmation`, progress URL. */
import type { Clock, NonceDecryptingSecurityClient, PumpTransport, Secret } from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import type { DrsProgress, HttpRequest, HttpResponse, HttpResponseOptions } from '@endorse/protocol';
import {
  decodeDrsConfirmationReply,
  decodeDrsProgressReply,
  decodeDrsRegisterReply,
  encodeDrsConfirmationHttpRequest,
  encodeDrsOperationTarget,
  encodeDrsProgressHttpRequest,
  encodeDrsRegisterHttpRequest,
  resolveDrsProgressTarget,
} from '@endorse/protocol';
import { ProvisioningClientError } from '../errors.ts';
import { ProvDeviceResult } from '../results.ts';
import type { Challenge, ServiceReply } from '../service-reply.ts';
import type { Conversation, Deliver, RunContext } from './conversation.ts';
import { serviceSaysNo } from './refusals.ts';
import { toEvent } from './exchange-errors.ts';
import { exchange } from './pump-exchange.ts';

/** What the conversation is made from. */
export interface DrsParts {
  readonly pump: PumpTransport;
  readonly securityClient: NonceDecryptingSecurityClient;
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Only `now` is used, to read a `Retry-After` date. */
  readonly clock: Pick<Clock, 'now'>;
}

/** Speaks the `/drs/` dialect. */
export class DrsConversation implements Conversation {
  readonly #parts: DrsParts;
  #run: RunContext | undefined;
  #endorsementKey: Uint8Array | undefined;
  #answer: { readonly correlationId: string; readonly nonce: Secret } | undefined;

  constructor(parts: DrsParts) {
    this.#parts = parts;
  }

  open(run: RunContext, deliver: Deliver): void {
    this.#run = run;
    this.#parts.pump.open((outcome) => deliver(outcome.ok ? { type: 'opened' } : toEvent(outcome.error)));
  }

  async prepareRegistration(): Promise<void> {
    const { signal } = this.#requireRun();
    this.#endorsementKey = await this.#parts.securityClient.getEndorsementKey({ signal });
  }

  sendRegistration(deliver: Deliver): void {
    const { registrationId, payload } = this.#requireRun();
    const endorsementKey = this.#endorsementKey ?? new Uint8Array(0);
    this.#exchange(
      deliver,
      () =>
        encodeDrsRegisterHttpRequest({
          registrationId,
          endorsementKey,
          ...(payload === undefined ? {} : { properties: payload }),
        }),
      (response, options) => this.#readRegistration(response, options),
    );
  }

  async answerChallenge({ label, encrypted }: Challenge): Promise<void> {
    const { signal } = this.#requireRun();
    const nonce = await this.#parts.securityClient.decryptNonce(encrypted, { signal });
    if (nonce.byteLength === 0) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', 'the security client decrypted an empty nonce');
    }
    // The run may have ended meanwhile.
    if (signal.aborted) nonce.dispose();
    else this.#answer = { correlationId: label, nonce };
  }

  sendConfirmation(deliver: Deliver): void {
    const { registrationId } = this.#requireRun();
    const answer = this.#answer;
    if (answer === undefined) throw new LocalProtocolError('ERR_LOCAL_STATE', 'there is no nonce to confirm');
    this.#exchange(
      deliver,
      () => encodeDrsConfirmationHttpRequest({ registrationId, ...answer }),
      (response, options) => {
        const { progressUrl, retryAfterMs } = decodeDrsConfirmationReply(response, options);
        return { kind: 'operation', operation: this.#resolve(progressUrl), retryAfterMs };
      },
    );
    this.#forgetAnswer();
  }

  sendStatusRequest(operation: string, deliver: Deliver): void {
    this.#exchange(
      deliver,
      () => encodeDrsProgressHttpRequest(operation),
      (response, options) => {
        const { progress, retryAfterMs } = decodeDrsProgressReply(response, options);
        return this.#readProgress(progress, retryAfterMs);
      },
      // An operation that the service has forgotten, for example because it was restarted.
      [404],
    );
  }

  async importKey(activationBlob: Uint8Array): Promise<void> {
    const { signal } = this.#requireRun();
    await this.#parts.securityClient.activateIdentityKey(activationBlob, { signal });
  }

  doWork(): void {
    this.#parts.pump.doWork();
  }

  close(): void {
    this.#forgetAnswer();
    this.#endorsementKey = undefined;
    this.#run = undefined;
    this.#parts.pump.close();
  }

  #exchange(
    deliver: Deliver,
    encode: () => HttpRequest,
    decode: (response: HttpResponse, options: HttpResponseOptions) => ServiceReply,
    restartOn: readonly number[] = [],
  ): void {
    const run = this.#requireRun();
    let request: HttpRequest;
    try {
      request = encode();
    } catch (error) {
      deliver(toEvent(error));
      return;
    }
    const attempted = `${request.method} ${request.target.split('?')[0] ?? ''}`;
    exchange(this.#parts.pump, request, run, (outcome) => {
      if (!outcome.ok) {
        deliver(toEvent(outcome.error));
        return;
      }
      try {
        const nowMs = this.#parts.clock.now();
        deliver({ type: 'replied', reply: decode(outcome.value, { attempted, nowMs }) });
      } catch (error) {
        deliver(toEvent(error, restartOn));
      }
    });
  }

  #readRegistration(response: HttpResponse, options: HttpResponseOptions): ServiceReply {
    const reply = decodeDrsRegisterReply(response, options);
    if (reply.kind === 'challenge') {
      return { kind: 'challenge', challenge: { label: reply.correlationId, encrypted: reply.nonce } };
    }
    const { operationId, progressUrl, retryAfterMs } = reply;
    const { registrationId } = this.#requireRun();
    const operation =
      progressUrl === undefined
        ? encodeDrsOperationTarget({ registrationId, operationId })
        : this.#resolve(progressUrl);
    return { kind: 'operation', operation, retryAfterMs };
  }

  #readProgress(progress: DrsProgress, retryAfterMs: number | undefined): ServiceReply {
    switch (progress.status) {
      case 'assigning':
        return { kind: 'assigning', retryAfterMs };
      case 'assigned': {
        const { iotHubUrl, deviceId = this.#requireRun().registrationId, authenticationKey } = progress;
        return { kind: 'assigned', assignment: { iothubUri: iotHubUrl, deviceId }, authenticationKey };
      }
      case 'failed':
      case 'disabled':
        return serviceSaysNo(progress.status, progress.errorCode, progress.errorMessage);
      default:
        return progress satisfies never;
    }
  }

  #resolve(progressUrl: string): string {
    return resolveDrsProgressTarget(progressUrl, { origin: this.#parts.origin });
  }

  #forgetAnswer(): void {
    this.#answer?.nonce.dispose();
    this.#answer = undefined;
  }

  #requireRun(): RunContext {
    if (this.#run !== undefined) return this.#run;
    throw new ProvisioningClientError(ProvDeviceResult.ERROR, 'no registration is under way');
  }
}
