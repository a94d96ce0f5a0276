import type { SecurityClientOptions, TpmSecurityClient } from '@endorse/interface';

/** A TPM security client with a stopwatch. */
export interface TimedSecurityClient extends TpmSecurityClient {
  /** Time spent inside the client since the last call of this, in milliseconds. */
  takeTpmMs(): number;
}

/** Measures what a TPM security client takes, so that the rest of a registration can be told apart. */
export function timeSecurityClient(client: TpmSecurityClient): TimedSecurityClient {
  let spentMs = 0;
  const timed = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      spentMs += performance.now() - startedAt;
    }
  };
  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    getRegistrationId: (options?: SecurityClientOptions) => timed(() => client.getRegistrationId(options)),
    getEndorsementKey: (options?: SecurityClientOptions) => timed(() => client.getEndorsementKey(options)),
    getStorageRootKey: (options?: SecurityClientOptions) => timed(() => client.getStorageRootKey(options)),
    activateIdentityKey: (blob, options) => timed(() => client.activateIdentityKey(blob, options)),
    signWithIdentity: (data, options) => timed(() => client.signWithIdentity(data, options)),
    takeTpmMs: () => {
      const taken = spentMs;
      spentMs = 0;
      return taken;
    },
  };
}
