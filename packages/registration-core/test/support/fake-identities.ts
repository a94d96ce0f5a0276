import { createHmac } from 'node:crypto';
import type {
  ClientCertificate,
  Clock,
  SecurityClientOptions,
  SymmetricKeySecurityClient,
  TokenIssuingSecurityClient,
  TpmSecurityClient,
  X509SecurityClient,
} from '@endorse/interface';
import { Secret } from '@endorse/interface';

/** A call on the fake TPM, with what was passed. */
export interface TpmCall {
  readonly method: Exclude<keyof TpmSecurityClient, 'kind' | 'specificationVersion'>;
  readonly bytes?: Uint8Array;
}

/** A TPM that takes a blob as the key itself, so that a test can tell which key signed what. */
export interface FakeTpm extends TpmSecurityClient {
  readonly calls: readonly TpmCall[];
  /** The activated key; undefined before the first. */
  readonly identityKey: Uint8Array | undefined;
  /** Calls that began and have not settled. */
  readonly pending: number;
}

/** Runs before a call takes effect: may throw, or wait. */
export type TpmHook = (call: TpmCall, signal: AbortSignal) => void | Promise<void>;

/** Public keys of the fake TPM: well-formed sizes, meaningless content. */
export const fakeEndorsementKey: Uint8Array = Uint8Array.of(0, 4, 0xe, 0xe, 0xe, 0xe);
export const fakeStorageRootKey: Uint8Array = Uint8Array.of(0, 4, 0x5, 0x5, 0x5, 0x5);

export function createFakeTpm(options: { registrationId?: string; hook?: TpmHook } = {}): FakeTpm {
  const calls: TpmCall[] = [];
  let identityKey: Uint8Array | undefined;
  let pending = 0;
  async function serve<Value>(
    call: TpmCall,
    given: SecurityClientOptions,
    work: () => Value,
  ): Promise<Value> {
    const signal = given.signal ?? new AbortController().signal;
    calls.push(call);
    pending += 1;
    try {
      signal.throwIfAborted();
      await options.hook?.(call, signal);
      signal.throwIfAborted();
      return work();
    } finally {
      pending -= 1;
    }
  }
  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    calls,
    get identityKey() {
      return identityKey;
    },
    get pending() {
      return pending;
    },
    getRegistrationId: (given = {}) =>
      serve({ method: 'getRegistrationId' }, given, () => options.registrationId ?? 'tpm-device-1'),
    getEndorsementKey: (given = {}) =>
      serve({ method: 'getEndorsementKey' }, given, () => fakeEndorsementKey.slice()),
    getStorageRootKey: (given = {}) =>
      serve({ method: 'getStorageRootKey' }, given, () => fakeStorageRootKey.slice()),
    activateIdentityKey: (bytes, given = {}) =>
      serve({ method: 'activateIdentityKey', bytes }, given, () => {
        identityKey = bytes.slice();
      }),
    signWithIdentity: (bytes, given = {}) =>
      serve({ method: 'signWithIdentity', bytes }, given, () => {
        if (identityKey === undefined) throw new Error('no identity key');
        return Uint8Array.from(createHmac('sha256', identityKey).update(bytes).digest());
      }),
  };
}

/** A shared key identity; signs with `key`. */
export function createFakeSymmetricKey(
  key: Uint8Array,
  registrationId = 'key-device-1',
): SymmetricKeySecurityClient {
  return {
    specificationVersion: 'v1',
    kind: 'symmetric-key',
    getRegistrationId: async () => registrationId,
    signWithIdentity: async (data) => Uint8Array.from(createHmac('sha256', key).update(data).digest()),
  };
}

/** An issuer of tokens whose lives, in milliseconds from now, are given; the last one holds for all that follow. */
export function createFakeTokenIssuer(
  clock: Clock,
  lives: readonly number[],
): TokenIssuingSecurityClient & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  return {
    specificationVersion: 'v1',
    kind: 'symmetric-key',
    asked,
    getRegistrationId: async () => 'issued-device-1',
    issueSasToken: async (idScope) => {
      asked.push(idScope);
      const life = lives[asked.length - 1] ?? lives.at(-1) ?? 0;
      return { sasToken: Secret.fromText(`token ${asked.length}`), expiresAt: clock.now() + life };
    },
  };
}

/** A certificate identity with text in place of PEM. */
export function createFakeX509(registrationId = 'x509-device-1'): X509SecurityClient {
  const certificate: ClientCertificate = {
    certificatePem: 'certificate',
    privateKeyPem: Secret.fromText('private key'),
  };
  return {
    specificationVersion: 'v1',
    kind: 'x509',
    getRegistrationId: async () => registrationId,
    getCertificate: async () => certificate,
  };
}
