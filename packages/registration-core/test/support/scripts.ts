import type { RegistrationReply, Secret } from '@endorse/interface';
import { ServiceError, TransportError } from '@endorse/interface';
import type { ScriptStep } from '@endorse/testkit';
import { assignedReply, assigningReply } from '@endorse/testkit';

export const operationId = '5.316aac5bdc130deb.11111111-2222-4333-8444-555555555555';
export const registrationKey: Uint8Array = Uint8Array.from({ length: 32 }, (_, index) => index + 1);
export const hubKey: Uint8Array = Uint8Array.from({ length: 32 }, (_, index) => index + 101);
export const target = { provisioningHost: 'dps.example.test', idScope: '0ne00000001' } as const;

/** The challenge whose key the fake TPM takes for itself. */
export const challenge: ScriptStep = {
  call: 'getAuthenticationChallenge',
  answer: { reply: { activationBlob: registrationKey, keyName: 'registration' } },
};

export const assigned: RegistrationReply = assignedReply(operationId, {
  registrationId: 'tpm-device-1',
  hubKey,
});

export function registerWith(reply: RegistrationReply): ScriptStep {
  return { call: 'register', answer: { reply } };
}

export function pollWith(reply: RegistrationReply): ScriptStep {
  return { call: 'queryOperationStatus', answer: { reply } };
}

/** Challenge, register, one poll that is still assigning, one that is assigned. */
export const happyTpmScript: readonly ScriptStep[] = [
  challenge,
  registerWith(assigningReply(operationId, 3000)),
  pollWith(assigningReply(operationId, 3000)),
  pollWith(assigned),
];

export function failWith(call: ScriptStep['call'], error: Error): ScriptStep {
  return { call, answer: { error } };
}

export const throttled = (retryAfterMs?: number): ServiceError =>
  new ServiceError('throttled', { status: 429, retryAfterMs });
export const unauthorized = (): ServiceError =>
  new ServiceError('unauthorized', { status: 401, serviceCode: 401_002 });
export const unknownOperation = (): ServiceError => new ServiceError('no such operation', { status: 404 });
export const lost = (): TransportError =>
  new TransportError('ERR_TRANSPORT_LOST', 'the connection was lost', { phase: 'receive', retryable: true });

/** Remembers the token of each request: as an object, and as the text it held when it was used. */
export function recordTokens(): {
  readonly seen: { secret: Secret; text: string }[];
  note(secret: Secret | undefined): void;
} {
  const seen: { secret: Secret; text: string }[] = [];
  return {
    seen,
    note(secret) {
      if (secret !== undefined) seen.push({ secret, text: secret.revealText() });
    },
  };
}
