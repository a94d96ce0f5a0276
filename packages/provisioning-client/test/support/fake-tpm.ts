import { createHmac } from 'node:crypto';
import type { NonceDecryptingSecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';

/** Calls of the security client. */
export type TpmCall = Exclude<keyof NonceDecryptingSecurityClient, 'specificationVersion' | 'kind'>;

/** What the fake was asked. */
export interface SeenCall {
  readonly call: TpmCall;
  readonly input?: Uint8Array;
}

/** A TPM security client without a TPM: what the machine is tested with, not the cryptography. */
export interface FakeTpm extends NonceDecryptingSecurityClient {
  readonly calls: readonly SeenCall[];
}

/** The nonce that the fake decrypts from any blob. */
export const plainNonce = 'a-nonce-in-clear-that-no-log-may-hold';

/** The key under which the fake signs. */
const identityKey = 'the-identity-key';

/** Makes a fake; `onCall` runs inside each call: throw to make it fail, wait to make it slow. */
export function createFakeTpm(
  options: {
    readonly registrationId?: string;
    readonly nonce?: string;
    readonly onCall?: (call: TpmCall, signal: AbortSignal | undefined) => void | Promise<void>;
  } = {},
): FakeTpm {
  const { registrationId = 'my-device-1', nonce = plainNonce, onCall } = options;
  const calls: SeenCall[] = [];
  const serve = async <Value>(
    call: TpmCall,
    signal: AbortSignal | undefined,
    value: () => Value,
    input?: Uint8Array,
  ): Promise<Value> => {
    calls.push({ call, ...(input === undefined ? {} : { input }) });
    await onCall?.(call, signal);
    return value();
  };
  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    calls,
    getRegistrationId: ({ signal } = {}) => serve('getRegistrationId', signal, () => registrationId),
    getEndorsementKey: ({ signal } = {}) =>
      serve('getEndorsementKey', signal, () => Uint8Array.of(1, 2, 3, 4)),
    getStorageRootKey: ({ signal } = {}) =>
      serve('getStorageRootKey', signal, () => Uint8Array.of(5, 6, 7, 8)),
    activateIdentityKey: (blob, { signal } = {}) =>
      serve('activateIdentityKey', signal, () => undefined, blob),
    signWithIdentity: (data, { signal } = {}) =>
      serve('signWithIdentity', signal, () => createHmac('sha256', identityKey).update(data).digest(), data),
    decryptNonce: (blob, { signal } = {}) =>
      serve('decryptNonce', signal, () => Secret.fromText(nonce), blob),
  };
}
