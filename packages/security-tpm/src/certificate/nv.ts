import { TpmDecodeError, commands, computeNvName, nvAttributes, rh } from '@endorse/tpm2';
import type { NvPublic } from '@endorse/tpm2';
import { TpmKeyError, formatHandle } from '../errors.ts';
import type { TpmScope } from '../executor/scope.ts';
import { isResponse } from '../keys/read-key.ts';

/** Options of {@link readNvIndex}. */
export interface ReadNvOptions {
  readonly signal: AbortSignal | undefined;
  /** Largest chunk of one command; default 512, less than any TPM's buffer. */
  readonly chunkBytes?: number | undefined;
}

const defaultChunkBytes = 512;

/**
 * Reads an NV index with its own empty authorization value, or the owner's empty one; undefined when there is none
 * or nothing was ever written. Holds public data only, so nothing is protected on the bus.
 */
export async function readNvIndex(
  scope: TpmScope,
  nvIndex: number,
  { signal, chunkBytes = defaultChunkBytes }: ReadNvOptions,
): Promise<Uint8Array | undefined> {
  const area = await readNvPublic(scope, nvIndex, signal);
  if (area === undefined || (area.attributes & nvAttributes.written) === 0) return undefined;
  const authHandle = (area.attributes & nvAttributes.authRead) === 0 ? rh.owner : nvIndex;
  const content = new Uint8Array(area.dataSize);
  for (let offset = 0; offset < content.byteLength;) {
    const size = Math.min(chunkBytes, content.byteLength - offset);
    const { data } = await scope.execute(commands.NV_Read, { authHandle, nvIndex, size, offset }, { signal });
    // Nothing, or more than was asked for, would make this loop forever or write past the end.
    if (data.byteLength === 0 || data.byteLength > size) {
      throw new TpmDecodeError('NV_Read response.data', 0, `has ${data.byteLength} bytes instead of ${size}`);
    }
    content.set(data, offset);
    offset += data.byteLength;
  }
  return content;
}

async function readNvPublic(
  scope: TpmScope,
  nvIndex: number,
  signal: AbortSignal | undefined,
): Promise<NvPublic | undefined> {
  try {
    const { nvPublic, nvName } = await scope.execute(commands.NV_ReadPublic, { nvIndex }, { signal });
    if (!Buffer.from(computeNvName(nvPublic)).equals(nvName) || nvPublic.nvIndex !== nvIndex) {
      throw new TpmKeyError(
        'ERR_TPM_NAME_MISMATCH',
        `the Name of ${formatHandle(nvIndex)} is not that of its public area`,
        {
          handle: nvIndex,
        },
      );
    }
    return nvPublic;
  } catch (error) {
    if (isResponse(error, 'HANDLE')) return undefined;
    throw error;
  }
}
