import { commands, tpmProperties } from '@endorse/tpm2';
import type { TpmScope } from '../executor/scope.ts';
import type { Authorization } from '../session/auth-session.ts';
import type { Protection } from '../session/protection.ts';
import type { IdentityKey } from './identity-slots.ts';

/** What signing needs. */
export interface SignContext {
  readonly protection: Protection;
  /** How much a TPM takes at once, in bytes. */
  readonly inputBufferBytes: number;
  readonly signal: AbortSignal | undefined;
}

const nothing = new Uint8Array(0);
/** What the specification demands at least; 1024 almost everywhere. */
const fallbackInputBufferBytes = 1024;

/** HMAC of `data` under the identity key: one command, or a sequence when it is longer than the TPM's buffer. */
export async function signWithKey(
  scope: TpmScope,
  key: IdentityKey,
  data: Uint8Array,
  context: SignContext,
): Promise<Uint8Array> {
  const { inputBufferBytes, protection, signal } = context;
  const names = new Map([[key.handle, key.name]]);
  // The signature of a token is as good as the token, so it does not cross the bus in clear.
  const secret = { encryptCommand: true, encryptResponse: true, isLastUse: true };
  if (data.byteLength <= inputBufferBytes) {
    const { outHmac } = await scope.execute(
      commands.HMAC,
      { handle: key.handle, buffer: data, hashAlg: null },
      { signal, names, authorizations: [protection.authorize(nothing, secret)] },
    );
    return outHmac;
  }
  const { sequenceHandle } = await scope.execute(
    commands.HMAC_Start,
    { handle: key.handle, hashAlg: null },
    { signal, names, authorizations: [protection.authorize(nothing)] },
  );
  // A sequence has no public area, hence the empty Name (Part 1, 32.4.5).
  const sequence = { signal, names: new Map([[sequenceHandle, nothing]]) };
  const authorize = (): Authorization[] => [protection.authorize(nothing, { encryptCommand: true })];
  let offset = 0;
  for (; data.byteLength - offset > inputBufferBytes; offset += inputBufferBytes) {
    const buffer = data.subarray(offset, offset + inputBufferBytes);
    await scope.execute(
      commands.SequenceUpdate,
      { sequenceHandle, buffer },
      { ...sequence, authorizations: authorize() },
    );
  }
  const { result } = await scope.execute(
    commands.SequenceComplete,
    { sequenceHandle, buffer: data.subarray(offset) },
    { ...sequence, authorizations: [protection.authorize(nothing, secret)] },
  );
  return result;
}

/** How much the TPM takes in one command, in bytes. */
export async function readInputBufferBytes(
  scope: TpmScope,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { capabilityData } = await scope.execute(
    commands.GetCapability,
    { capability: 'tpmProperties', property: tpmProperties.inputBuffer, propertyCount: 1 },
    { signal },
  );
  const found =
    capabilityData.kind === 'tpmProperties'
      ? capabilityData.properties.find(({ property }) => property === tpmProperties.inputBuffer)
      : undefined;
  return found === undefined || found.value < 1 ? fallbackInputBufferBytes : found.value;
}
