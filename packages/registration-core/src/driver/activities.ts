import type {
  IssuedSasToken,
  RegistrationOperationStatus,
  RegistrationReply,
  RegistrationSession,
  Secret,
} from '@endorse/interface';
import { LocalProtocolError } from '@endorse/interface';
import { createSasToken, registrationResource } from '@endorse/protocol';
import type { ActivityEffect } from '../machine/effects.ts';
import type { RegistrationEvent } from '../machine/events.ts';
import type { RegistrationPlan } from '../options.ts';
import type { Identity } from './identity.ts';
import { readIdentity } from './identity.ts';
import { SessionHolder } from './session-holder.ts';
import { TokenHolder } from './token-holder.ts';

/** The live side of a run: what the machine's effects work on and its state does not hold. */
export class Activities {
  readonly #plan: RegistrationPlan;
  readonly tokens: TokenHolder = new TokenHolder();
  readonly sessions: SessionHolder;
  #identity: Identity | undefined;
  #operation: RegistrationOperationStatus | undefined;

  constructor(plan: RegistrationPlan) {
    this.#plan = plan;
    this.sessions = new SessionHolder(plan.clock, plan.logger);
  }

  /** The service's last answer. */
  get operation(): RegistrationOperationStatus | undefined {
    return this.#operation;
  }

  /** Opens a session, in place of one that is open; that one is closed first. */
  async openSession(): Promise<void> {
    const { transport, provisioningHost, idScope } = this.#plan;
    const { registrationId, attestation } = this.#requireIdentity();
    await this.sessions.open(() =>
      transport.openSession({ provisioningHost, idScope, registrationId }, attestation),
    );
  }

  /** Runs one activity and returns the event it ends in. Rejects with what the security client or the session rejects with. */
  async run(effect: ActivityEffect, signal: AbortSignal): Promise<RegistrationEvent> {
    const { securityClient, clock } = this.#plan;
    switch (effect.effect) {
      case 'read-identity': {
        this.#identity = await readIdentity(securityClient, signal);
        return { type: 'identity-read', registrationId: this.#identity.registrationId };
      }
      case 'request-challenge':
        return this.#requestChallenge(signal);
      case 'activate-key':
        if (securityClient.kind !== 'tpm') throw misuse('only a TPM activates keys');
        await securityClient.activateIdentityKey(effect.activationBlob, { signal });
        return { type: 'key-activated' };
      case 'sign-token':
        return this.#signToken(effect.keyName, signal);
      case 'send-register':
        return this.#report(await this.#sendRegister(signal));
      case 'query-operation': {
        const { registrationId } = this.#requireIdentity();
        const request = { ...this.#credential(), registrationId, operationId: effect.operationId };
        return this.#report(await this.#requireSession().queryOperationStatus(request, { signal }));
      }
      case 'sleep':
        // A timer of 0 ms takes more than one, and a service that says 0 means it.
        if (effect.delayMs > 0) await clock.sleep(effect.delayMs, signal);
        return { type: 'woke' };
      default:
        return effect satisfies never;
    }
  }

  async #requestChallenge(signal: AbortSignal): Promise<RegistrationEvent> {
    const { provisioningHost, idScope, payload } = this.#plan;
    const { registrationId, tpm } = this.#requireIdentity();
    if (tpm === undefined) throw misuse('only a TPM is challenged');
    const request = {
      provisioningHost,
      idScope,
      registrationId,
      ...tpm,
      ...(payload === undefined ? {} : { payload }),
    };
    const challenge = await this.#requireSession().getAuthenticationChallenge(request, { signal });
    return { type: 'challenge-received', ...challenge };
  }

  async #signToken(keyName: string, signal: AbortSignal): Promise<RegistrationEvent> {
    const { securityClient, idScope, clock, sasLifetimeMs, sasResourceEncoding } = this.#plan;
    if (securityClient.kind === 'x509') throw misuse('a certificate signs no token');
    if ('issueSasToken' in securityClient) {
      return this.#holdToken(await securityClient.issueSasToken(idScope, { signal }));
    }
    const expiresAt = clock.now() + sasLifetimeMs;
    const sasToken = await createSasToken({
      resource: registrationResource(idScope, this.#requireIdentity().registrationId),
      expiresAt,
      keyName,
      encoding: sasResourceEncoding,
      sign: (data) => securityClient.signWithIdentity(data, { signal }),
    });
    return this.#holdToken({ sasToken, expiresAt });
  }

  #holdToken({ sasToken, expiresAt }: IssuedSasToken): RegistrationEvent {
    this.tokens.hold(sasToken);
    return { type: 'token-signed', expiresAt };
  }

  #sendRegister(signal: AbortSignal): Promise<RegistrationReply> {
    const { payload, forceRegistration } = this.#plan;
    const { registrationId, tpm } = this.#requireIdentity();
    const registrationInfo = {
      registrationId,
      ...tpm,
      ...(payload === undefined ? {} : { payload }),
      ...(forceRegistration ? { forceRegistration } : {}),
    };
    return this.#requireSession().register({ ...this.#credential(), registrationInfo }, { signal });
  }

  #report({ operation, retryAfterMs }: RegistrationReply): RegistrationEvent {
    this.#operation = operation;
    return { type: 'operation-reported', operation, retryAfterMs };
  }

  #credential(): { readonly sasToken?: Secret } {
    const { token } = this.tokens;
    return token === undefined ? {} : { sasToken: token };
  }

  #requireIdentity(): Identity {
    if (this.#identity === undefined) throw misuse('the identity was not read yet');
    return this.#identity;
  }

  #requireSession(): RegistrationSession {
    const { session } = this.sessions;
    if (session === undefined) throw misuse('no session is open');
    return session;
  }
}

function misuse(problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_LOCAL_STATE', `registration driver: ${problem}`);
}
