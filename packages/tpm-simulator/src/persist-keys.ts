import { parseSimulatorAddress } from './address.ts';
import { withDeadline } from './deadline.ts';
import {
  createPrimary,
  endorsementKeyTemplate,
  evictControl,
  firstHandle,
  flushContext,
  getHandles,
  handle,
  listedHandles,
  shutdownClear,
  storageRootKeyTemplate,
} from './raw-command.ts';
import { transmitOk, withRawTpm } from './raw-tpm.ts';
import type { TransmitRaw } from './raw-tpm.ts';

// Finding the primes of an RSA-2048 key is a lottery: 30 to 200 ms here, seconds on a busy machine.
const timeoutMs = 60_000;

/** Persists EK and SRK where they are missing, and powers the TPM down in an orderly way. */
export async function persistKeys(address: string, signal: AbortSignal | undefined): Promise<void> {
  const { data } = parseSimulatorAddress(address);
  await withDeadline({ timeoutMs, state: 'creating the keys', signal }, (combined) =>
    withRawTpm(data, combined, async (transmit) => {
      const listed = await transmitOk(transmit, getHandles(handle.storageRootKey & ~1), 'list its handles');
      const present = new Set(listedHandles(listed).handles);
      if (!present.has(handle.endorsementKey)) {
        await persist(transmit, handle.endorsement, endorsementKeyTemplate, handle.endorsementKey);
      }
      if (!present.has(handle.storageRootKey)) {
        await persist(transmit, handle.owner, storageRootKeyTemplate, handle.storageRootKey);
      }
      await transmitOk(transmit, shutdownClear, 'shut down');
    }),
  );
}

async function persist(
  transmit: TransmitRaw,
  hierarchy: number,
  template: Uint8Array,
  persistent: number,
): Promise<void> {
  const created = await transmitOk(transmit, createPrimary(hierarchy, template), 'create a primary key');
  const transient = firstHandle(created);
  await transmitOk(transmit, evictControl(transient, persistent), 'persist a key');
  await transmitOk(transmit, flushContext(transient), 'flush a key');
}
