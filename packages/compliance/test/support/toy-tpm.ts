/**
 * A security client in which everything a TPM does is acted out: its keys are random bytes, and a blob for them is
 * sealed with a hash of their public parts. It has the shape of a TPM and none of its strength.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { EndorseErrorOptions, SecurityClientOptions, TpmSecurityClient } from '@endorse/interface';
import { EndorseError, InvalidArgumentError, LocalProtocolError } from '@endorse/interface';
import { deriveRegistrationId, joinActivationBlob, splitActivationBlob } from '@endorse/protocol';

/** What a toy TPM answers when it refuses. */
export class ToyTpmError extends EndorseError {
  readonly code: string;
  readonly fault = 'tpm';
  readonly retryable = false;

  constructor(name: string, options: EndorseErrorOptions = {}) {
    super(`the toy TPM refuses: ${name}`, options);
    this.code = `ERR_TPM_${name}`;
  }
}

interface WrapRequest {
  readonly endorsementKey: Uint8Array;
  readonly storageRootKey: Uint8Array;
  readonly key: Uint8Array;
}

/** Wraps a key for the toy TPM that has these public keys. */
export function wrapForToyTpm({ endorsementKey, storageRootKey, key }: WrapRequest): Uint8Array {
  const pad = sha256(endorsementKey, storageRootKey);
  const parts = {
    encryptedSecret: randomBytes(64),
    duplicate: withDigest(new Uint8Array(32), exclusiveOr(key, pad)),
    encryptedSeed: randomBytes(64),
    // TPM_ALG_KEYEDHASH, and whatever.
    publicArea: Uint8Array.from([0, 8, ...randomBytes(46)]),
    encryptedUri: new Uint8Array(),
  };
  return joinActivationBlob({ ...parts, idObject: withDigest(seal(pad, parts), new Uint8Array(18)) });
}

/** Steps that tests replace to make a client wrong. */
export interface ToyTpmSteps {
  /** How a blob is opened. */
  readonly open?: (keys: Omit<WrapRequest, 'key'>, blob: Uint8Array) => Uint8Array;
  /** Called when an activation failed. */
  readonly onFailure?: (forget: () => void) => void;
  /** How data is signed. */
  readonly sign?: (key: Uint8Array, data: Uint8Array) => Uint8Array;
  /** How an abort is reported. */
  readonly abortError?: (reason: unknown) => unknown;
  /** How a public key is handed out. */
  readonly handOut?: (key: Uint8Array) => Uint8Array;
}

/** Makes a toy TPM. */
export function createToyTpm(steps: ToyTpmSteps = {}): TpmSecurityClient & AsyncDisposable {
  const {
    open = openToyBlob,
    onFailure = () => undefined,
    sign = (key, data) => Uint8Array.from(createHmac('sha256', key).update(data).digest()),
    abortError = (reason) => reason,
    handOut = (key) => key.slice(),
  } = steps;
  const endorsementKey = publicKey(316);
  const storageRootKey = publicKey(284);
  let identityKey: Uint8Array | undefined;
  let disposed = false;

  const serve = async <Value>({ signal }: SecurityClientOptions = {}, work: () => Value): Promise<Value> => {
    const check = (): void => {
      if (signal?.aborted === true) throw abortError(signal.reason);
      if (disposed) throw new LocalProtocolError('ERR_SESSION_CLOSED', 'disposed of');
    };
    check();
    await Promise.resolve();
    check();
    return work();
  };
  return {
    specificationVersion: 'v1',
    kind: 'tpm',
    getRegistrationId: (options) => serve(options, () => deriveRegistrationId(endorsementKey)),
    getEndorsementKey: (options) => serve(options, () => handOut(endorsementKey)),
    getStorageRootKey: (options) => serve(options, () => handOut(storageRootKey)),
    activateIdentityKey: async (blob, options) => {
      requireBytes(blob);
      await serve(options, () => {
        try {
          identityKey = open({ endorsementKey, storageRootKey }, blob);
        } catch (error) {
          onFailure(() => {
            identityKey = undefined;
          });
          throw error;
        }
      });
    },
    signWithIdentity: async (data, options) => {
      requireBytes(data);
      return serve(options, () => {
        if (identityKey === undefined) throw new ToyTpmError('HANDLE');
        return sign(identityKey, data);
      });
    },
    [Symbol.asyncDispose]: async () => {
      disposed = true;
    },
  };
}

/** Opens a blob as the toy TPM does; refuses it when anything in it was changed. */
export function openToyBlob(keys: Omit<WrapRequest, 'key'>, blob: Uint8Array): Uint8Array {
  const pad = sha256(keys.endorsementKey, keys.storageRootKey);
  let parts;
  try {
    parts = splitActivationBlob(blob);
  } catch (cause) {
    throw new ToyTpmError('MALFORMED', { cause });
  }
  const expected = withDigest(seal(pad, parts), new Uint8Array(18));
  if (!Buffer.from(expected).equals(parts.idObject)) throw new ToyTpmError('INTEGRITY');
  return exclusiveOr(parts.duplicate.subarray(34), pad);
}

/** Credential and duplicate both begin with a sized digest. */
function withDigest(digest: Uint8Array, rest: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 32, ...digest, ...rest]);
}

function exclusiveOr(bytes: Uint8Array, pad: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ (pad[index] ?? 0));
}

type SealedParts = Readonly<
  Record<'encryptedSecret' | 'duplicate' | 'encryptedSeed' | 'publicArea', Uint8Array>
>;

function seal(pad: Uint8Array, parts: SealedParts): Uint8Array {
  return sha256(pad, parts.encryptedSecret, parts.duplicate, parts.encryptedSeed, parts.publicArea);
}

/** TPM2B_PUBLIC of an RSA-2048 key, as far as anybody here looks. */
function publicKey(byteLength: number): Uint8Array {
  const key = Uint8Array.from(randomBytes(byteLength));
  new DataView(key.buffer).setUint32(0, ((byteLength - 2) << 16) | 0x0001);
  return key;
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}

function requireBytes(value: unknown): void {
  if (!(value instanceof Uint8Array)) throw new InvalidArgumentError('bytes', 'must be a Uint8Array');
}
