/** Today's protocol over any session: a pump's or a transport's. */
import type {
  Clock,
  OperationStatusRequest,
  RegistrationReply,
  RegistrationSession,
  Secret,
  SecurityClient,
} from '@endorse/interface';
import { LocalProtocolError, RemoteProtocolError } from '@endorse/interface';
import { createSasToken, registrationKeyName, registrationResource } from '@endorse/protocol';
import type { Challenge, ServiceReply } from '../service-reply.ts';
import type { Conversation, Deliver, RunContext } from './conversation.ts';
import { toEvent } from './exchange-errors.ts';
import { serviceSaysNo } from './refusals.ts';
import type { SessionLink } from './session-link.ts';

/** What the conversation is made from. */
export interface DpsParts {
  readonly link: SessionLink;
  readonly securityClient: SecurityClient;
  readonly provisioningHost: string;
  readonly idScope: string;
  /** Only `now` is used, for the life of tokens. */
  readonly clock: Pick<Clock, 'now'>;
}

/** Longer than any run. */
const tokenLifetimeMs = 3_600_000;

/** Speaks today's protocol. */
export class DpsConversation implements Conversation {
  readonly #parts: DpsParts;
  #run: RunContext | undefined;
  #session: RegistrationSession | undefined;
  #tpm: { readonly endorsementKey: Uint8Array; readonly storageRootKey: Uint8Array } | undefined;
  #token: Secret | undefined;

  constructor(parts: DpsParts) {
    this.#parts = parts;
  }

  open(run: RunContext, deliver: Deliver): void {
    this.#run = run;
    const { provisioningHost, idScope, link } = this.#parts;
    const target = { provisioningHost, idScope, registrationId: run.registrationId };
    link.open(target, run, (outcome) => {
      if (outcome.ok) this.#session = outcome.value;
      deliver(outcome.ok ? { type: 'opened' } : toEvent(outcome.error));
    });
  }

  async prepareRegistration(): Promise<void> {
    const { signal } = this.#requireRun();
    const { securityClient } = this.#parts;
    this.#forgetToken();
    switch (securityClient.kind) {
      case 'tpm':
        this.#tpm = {
          endorsementKey: await securityClient.getEndorsementKey({ signal }),
          storageRootKey: await securityClient.getStorageRootKey({ signal }),
        };
        return;
      case 'symmetric-key':
        await this.#signToken(registrationKeyName);
        return;
      case 'x509':
        return;
      default:
        securityClient satisfies never;
    }
  }

  sendRegistration(deliver: Deliver): void {
    const { registrationId, payload, signal } = this.#requireRun();
    const { provisioningHost, idScope } = this.#parts;
    if (this.#tpm === undefined) {
      this.#register(deliver, []);
      return;
    }
    const request = {
      provisioningHost,
      idScope,
      registrationId,
      ...this.#tpm,
      ...(payload === undefined ? {} : { payload }),
    };
    this.#call(deliver, 'challenge', [], async (session) => {
      const { activationBlob, keyName } = await session.getAuthenticationChallenge(request, { signal });
      return { kind: 'challenge', challenge: { label: keyName, encrypted: activationBlob } };
    });
  }

  async answerChallenge({ label, encrypted }: Challenge): Promise<void> {
    const { signal } = this.#requireRun();
    await this.importKey(encrypted);
    signal.throwIfAborted();
    await this.#signToken(label);
  }

  sendConfirmation(deliver: Deliver): void {
    // The service may have lost its challenge, or given out another one meanwhile.
    this.#register(deliver, [401]);
  }

  sendStatusRequest(operationId: string, deliver: Deliver): void {
    const { registrationId, signal } = this.#requireRun();
    const { kind } = this.#parts.securityClient;
    const request: OperationStatusRequest = { ...this.#credential(), registrationId, operationId };
    const restartOn = this.#tpm === undefined ? [404] : [401, 404];
    this.#call(deliver, 'operation-status', restartOn, async (session) =>
      readReply(await session.queryOperationStatus(request, { signal }), { registrationId, kind }, 'status'),
    );
  }

  async importKey(activationBlob: Uint8Array): Promise<void> {
    const { signal } = this.#requireRun();
    const { securityClient } = this.#parts;
    // A key for a device without a TPM is no key of ours.
    if (securityClient.kind === 'tpm') await securityClient.activateIdentityKey(activationBlob, { signal });
  }

  doWork(): void {
    this.#parts.link.doWork();
  }

  close(): void {
    this.#forgetToken();
    this.#tpm = undefined;
    this.#run = undefined;
    this.#session = undefined;
    this.#parts.link.close();
  }

  #register(deliver: Deliver, restartOn: readonly number[]): void {
    const { registrationId, payload, signal } = this.#requireRun();
    const { kind } = this.#parts.securityClient;
    const registrationInfo = { registrationId, ...this.#tpm, ...(payload === undefined ? {} : { payload }) };
    const request = { ...this.#credential(), registrationInfo };
    this.#call(deliver, 'register', restartOn, async (session) =>
      readReply(await session.register(request, { signal }), { registrationId, kind }, 'register'),
    );
  }

  /** Makes one request; its end is delivered once its promise has settled. */
  #call(
    deliver: Deliver,
    request: string,
    restartOn: readonly number[],
    send: (session: RegistrationSession) => Promise<ServiceReply>,
  ): void {
    const { trace } = this.#requireRun();
    const session = this.#session;
    if (session === undefined) throw new LocalProtocolError('ERR_LOCAL_STATE', 'no session is open');
    trace('exchange-started', { request });
    send(session).then(
      (reply) => {
        trace('exchange-ended', { request, reply: reply.kind });
        deliver({ type: 'replied', reply });
      },
      (error: unknown) => {
        trace('exchange-failed', { request, code: (error as { code?: unknown } | undefined)?.code });
        deliver(toEvent(error, restartOn));
      },
    );
  }

  async #signToken(keyName: string): Promise<void> {
    const { securityClient, idScope, clock } = this.#parts;
    const { registrationId, signal } = this.#requireRun();
    if (securityClient.kind === 'x509') return;
    const token =
      'issueSasToken' in securityClient
        ? (await securityClient.issueSasToken(idScope, { signal })).sasToken
        : await createSasToken({
            resource: registrationResource(idScope, registrationId),
            expiresAt: clock.now() + tokenLifetimeMs,
            keyName,
            sign: (data) => securityClient.signWithIdentity(data, { signal }),
          });
    // The run may have ended meanwhile.
    if (signal.aborted) token.dispose();
    else this.#token = token;
  }

  #credential(): { readonly sasToken?: Secret } {
    return this.#token === undefined ? {} : { sasToken: this.#token };
  }

  #forgetToken(): void {
    this.#token?.dispose();
    this.#token = undefined;
  }

  #requireRun(): RunContext {
    if (this.#run !== undefined) return this.#run;
    throw new LocalProtocolError('ERR_LOCAL_STATE', 'no registration is under way');
  }
}

function readReply(
  { operation, retryAfterMs }: RegistrationReply,
  device: { readonly registrationId: string; readonly kind: SecurityClient['kind'] },
  asked: 'register' | 'status',
): ServiceReply {
  const { registrationId, kind } = device;
  const { status, operationId, registrationState: state = {} } = operation;
  switch (status) {
    case 'assigning':
      return asked === 'register'
        ? { kind: 'operation', operation: operationId, retryAfterMs }
        : { kind: 'assigning', retryAfterMs };
    case 'assigned': {
      const { assignedHub, deviceId = registrationId, payload, tpm } = state;
      if (assignedHub === undefined) throw lacks('assignedHub');
      // Without it the TPM would hold no key that the hub knows.
      if (kind === 'tpm' && tpm === undefined) throw lacks('tpm.authenticationKey');
      const assignment = { iothubUri: assignedHub, deviceId, payload };
      return { kind: 'assigned', assignment, authenticationKey: tpm?.authenticationKey };
    }
    case 'failed':
    case 'disabled':
    case 'unassigned':
      return serviceSaysNo(status, state.errorCode, state.errorMessage);
    default:
      return status satisfies never;
  }
}

function lacks(field: string): RemoteProtocolError {
  const path = `$.registrationState.${field}`;
  return new RemoteProtocolError('ERR_REMOTE_MALFORMED', `the assignment lacks ${path}`, {
    evidence: { path },
  });
}
