/** The TPM of a gateway: in software, which is fast, or a simulator, which is a TPM down to its commands. */
import type { TpmSecurityClient } from '@endorse/interface';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import type { SoftwareTpmAlgorithm, SoftwareTpmKeys } from '@endorse/testkit';
import { createSoftwareTpm, generateSoftwareTpmKeys } from '@endorse/testkit';
import type { TpmSimulator } from '@endorse/tpm-simulator';
import { startTpmSimulator } from '@endorse/tpm-simulator';

/** What a gateway does with its TPM. */
export interface GatewayTpm {
  /** TPM2B_PUBLIC of the endorsement key; made when it is first asked for. */
  endorsementKey(): Promise<Uint8Array>;
  /** TPM2B_PUBLIC of the storage root key. */
  storageRootKey(): Promise<Uint8Array>;
  /** The identity in it under a registration id; at most one at a time. */
  open(registrationId: string): Promise<TpmSecurityClient & AsyncDisposable>;
  /** Somebody takes ownership: another storage root key. */
  takeOwnership(): Promise<void>;
  /** Switches it off. */
  stop(): Promise<void>;
}

/** A TPM whose keys are OpenSSL's. */
export function createSoftwareGatewayTpm(algorithm: SoftwareTpmAlgorithm | undefined): GatewayTpm {
  let keys: Promise<SoftwareTpmKeys> | undefined;
  // Made late: RSA keys take a while.
  const own = (): Promise<SoftwareTpmKeys> => (keys ??= generateSoftwareTpmKeys(algorithm));
  return {
    endorsementKey: async () => (await own()).endorsementKey,
    storageRootKey: async () => (await own()).storageRootKey,
    open: async (registrationId) => createSoftwareTpm({ keys: await own(), registrationId }),
    takeOwnership: async () => {
      const [before, after] = await Promise.all([own(), generateSoftwareTpmKeys(algorithm)]);
      const { storageRootKey, storageRootArea, storageRootPrivateKey } = after;
      keys = Promise.resolve({ ...before, storageRootKey, storageRootArea, storageRootPrivateKey });
    },
    stop: async () => undefined,
  };
}

/** A TPM of its own in swtpm, fresh from the factory. */
export function createSimulatorGatewayTpm(): GatewayTpm {
  let simulator: Promise<TpmSimulator> | undefined;
  let publicKeys: Promise<{ readonly endorsement: Uint8Array; readonly storageRoot: Uint8Array }> | undefined;
  const start = (): Promise<TpmSimulator> => (simulator ??= startTpmSimulator());
  const read = async (): Promise<{ readonly endorsement: Uint8Array; readonly storageRoot: Uint8Array }> => {
    await using client = await createTpmSecurityClient({ tpm: (await start()).address });
    return { endorsement: await client.getEndorsementKey(), storageRoot: await client.getStorageRootKey() };
  };
  const own = (): ReturnType<typeof read> => (publicKeys ??= read());
  return {
    endorsementKey: async () => (await own()).endorsement,
    storageRootKey: async () => (await own()).storageRoot,
    open: async (registrationId) => {
      await own();
      return createTpmSecurityClient({ tpm: (await start()).address, registrationId });
    },
    takeOwnership: () => Promise.reject(new Error('the simulator of a gateway keeps its owner')),
    stop: async () => {
      await publicKeys?.catch(() => undefined);
      await (await simulator)?.stop();
    },
  };
}
