import { createHmac, randomBytes } from 'node:crypto';
import { systemRandom } from '@endorse/interface/node';
import { joinActivationBlob } from '@endorse/protocol';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSecurityClientHandle, TpmSecurityClientOptions } from '@endorse/security-tpm';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import type { TpmSimulator, TpmSimulatorOptions, TpmSnapshot } from '@endorse/tpm-simulator';
import { createActivation, decodeTpm2bPublic } from '@endorse/tpm2';
import type { ActivationParts } from '@endorse/tpm2';
import { createInterposer } from './interposer.ts';
import type { Interposer } from './interposer.ts';

/** A TPM with an interposer in front; ends with the test. */
export interface TpmFixture extends AsyncDisposable {
  readonly simulator: TpmSimulator;
  readonly interposer: Interposer;
  /** A client behind the interposer; closed with the fixture at the latest. */
  open(options?: Partial<TpmSecurityClientOptions>): Promise<TpmSecurityClientHandle>;
  /** The handles in the TPM; needs every client closed. */
  snapshot(): Promise<TpmSnapshot>;
}

/** Starts a TPM with EK and SRK persisted, unless told otherwise. */
export async function startTpm(options: TpmSimulatorOptions = { provisioned: true }): Promise<TpmFixture> {
  const simulator = await startTpmSimulator(options);
  const interposer = createInterposer(simulator.address);
  const clients: TpmSecurityClientHandle[] = [];
  return {
    simulator,
    interposer,
    open: async (overrides = {}) => {
      const client = await createTpmSecurityClient({ tpm: interposer.connect, ...overrides });
      clients.push(client);
      return client;
    },
    snapshot: () => readTpmSnapshot(simulator.address),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.close();
      await simulator.stop();
    },
  };
}

/** A fresh key wrapped for a client's TPM, as the service does it. */
export interface WrappedKey {
  readonly key: Uint8Array;
  readonly parts: ActivationParts;
  readonly blob: Uint8Array;
}

/** Wraps a fresh 32-byte key. */
export async function wrapKey(client: TpmSecurityClientHandle): Promise<WrappedKey> {
  const key = Uint8Array.from(randomBytes(32));
  const parts = createActivation({
    endorsementKey: decodeTpm2bPublic(await client.getEndorsementKey()),
    storageRootKey: decodeTpm2bPublic(await client.getStorageRootKey()),
    key,
    uri: new TextEncoder().encode('hub.example.test'),
    random: systemRandom,
  });
  return { key, parts, blob: joinActivationBlob(parts) };
}

/** Gives the TPM a fresh identity key and returns it. */
export async function activateFresh(client: TpmSecurityClientHandle): Promise<Uint8Array> {
  const { key, blob } = await wrapKey(client);
  await client.activateIdentityKey(blob);
  return key;
}

/** The oracle of every signature: OpenSSL. */
export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(data).digest());
}

/** Some bytes to sign. */
export const probe: Uint8Array = new TextEncoder().encode('who are you?');
