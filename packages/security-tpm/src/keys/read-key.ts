import { commands, computeName, decodeResponseCode, encodeTpm2bPublic, TpmError } from '@endorse/tpm2';
import type { PublicArea, ResponseCodeName } from '@endorse/tpm2';
import type { TpmScope } from '../executor/scope.ts';
import { TpmKeyError, formatHandle } from '../errors.ts';

/** A key in the TPM, with a Name that was recomputed from its public area. */
export interface LoadedKey {
  readonly handle: number;
  readonly area: PublicArea;
  /** TPM2B_PUBLIC, size bytes included. */
  readonly tpm2bPublic: Uint8Array;
  /** nameAlg ‖ digest of the public area. */
  readonly name: Uint8Array;
}

/**
 * Reads the public area of the key at `handle`; undefined when there is none.
 *
 * ReadPublic is not authenticated, so the Name is computed anew. Throws `ERR_TPM_NAME_MISMATCH` when it differs from
 * the one the TPM states: then area or Name were changed on the way.
 */
export async function readKey(
  scope: TpmScope,
  handle: number,
  signal: AbortSignal | undefined,
): Promise<LoadedKey | undefined> {
  try {
    const { outPublic, name } = await scope.execute(
      commands.ReadPublic,
      { objectHandle: handle },
      { signal },
    );
    return describeKey(handle, outPublic, name);
  } catch (error) {
    if (isResponse(error, 'HANDLE')) return undefined;
    throw error;
  }
}

/** A key by what the TPM said of it. Throws `ERR_TPM_NAME_MISMATCH`. */
export function describeKey(handle: number, area: PublicArea, statedName: Uint8Array): LoadedKey {
  const name = computeName(area);
  if (!Buffer.from(name).equals(statedName)) {
    throw new TpmKeyError(
      'ERR_TPM_NAME_MISMATCH',
      `the Name of ${formatHandle(handle)} is not that of its public area`,
      {
        handle,
        remedy:
          'Look for what sits between this program and the TPM: a defective driver, or an interposer on the bus.',
      },
    );
  }
  return Object.freeze({ handle, area, tpm2bPublic: encodeTpm2bPublic(area), name });
}

/** True for a `TpmError` with one of the given response codes. */
export function isResponse(error: unknown, ...names: readonly ResponseCodeName[]): boolean {
  return error instanceof TpmError && names.includes(decodeResponseCode(error.rc).name);
}
