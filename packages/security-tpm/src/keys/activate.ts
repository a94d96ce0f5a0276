/**
 * The ceremony: from an activation blob to a persistent identity key.
 *
 *     StartAuthSession   HMAC session salted to the endorsement key (unless sessions are off)
 *     StartAuthSession   policy session
 *     PolicySecret       proves the endorsement hierarchy's authorization value
 *     ActivateCredential storage root key + endorsement key → key of the inner wrapper, encrypted on the bus
 *     Import             the wrapped key under the storage root key; that key goes back, encrypted again
 *     Load
 *     EvictControl       twice, see identity-slots.ts
 *
 * Nothing is flushed here: the scope does that, however this ends.
 */
import type { Logger } from '@endorse/interface';
import { commands, rh } from '@endorse/tpm2';
import type { SymmetricDefinition } from '@endorse/tpm2';
import { TpmKeyError } from '../errors.ts';
import type { TpmScope } from '../executor/scope.ts';
import { startProtection } from '../session/protection.ts';
import type { Protection, SessionMode } from '../session/protection.ts';
import { startPolicySession } from '../session/start-session.ts';
import type { StartSessionOptions } from '../session/start-session.ts';
import { checkInnerKey } from './activation-blob.ts';
import type { ParsedActivationBlob } from './activation-blob.ts';
import type { HierarchyAuthValues } from './auth-value.ts';
import type { IdentityKeyHandles } from './identity-slots.ts';
import type { LoadedKey } from './read-key.ts';
import { replaceIdentityKey } from './replace-identity-key.ts';
import type { FreshKey } from './replace-identity-key.ts';

/** What opening a credential needs. */
export interface CredentialContext extends StartSessionOptions {
  readonly endorsementKey: LoadedKey;
  readonly storageRootKey: LoadedKey;
  readonly authValues: HierarchyAuthValues;
}

/** What an activation needs. */
export interface ActivationContext extends CredentialContext {
  readonly mode: SessionMode;
  readonly strategy: IdentityKeyHandles;
  readonly logger: Logger;
}

const nothing = new Uint8Array(0);

/** Loads the key of `blob` and makes it the identity key. Rejects with a `TpmError` when the TPM refuses a step. */
export async function activateIdentityKey(
  scope: TpmScope,
  blob: ParsedActivationBlob,
  context: ActivationContext,
): Promise<void> {
  const { endorsementKey, mode, authValues, signal } = context;
  const protection = await startProtection(scope, mode, endorsementKey, context);
  const innerKey = await activateCredential(scope, blob, protection, context);
  let fresh: FreshKey;
  try {
    checkInnerKey(innerKey);
    fresh = await importAndLoad(scope, blob, innerKey, protection, context);
  } finally {
    innerKey.fill(0);
  }
  await replaceIdentityKey(scope, fresh, {
    strategy: context.strategy,
    signal,
    logger: context.logger,
    authorizeOwner: () => protection.authorize(authValues.owner),
    authorizeOwnerAnew: async () => {
      const anew = await startProtection(scope, mode, endorsementKey, {
        random: context.random,
        signal: undefined,
      });
      return anew.authorize(authValues.owner, { isLastUse: true });
    },
  });
}

/** Opens a credential with the endorsement key and the storage root key. Rejects with a `TpmError` when the TPM refuses a step. */
export async function activateCredential(
  scope: TpmScope,
  blob: Pick<ParsedActivationBlob, 'idObject' | 'encryptedSecret'>,
  protection: Protection,
  context: CredentialContext,
): Promise<Uint8Array> {
  const { endorsementKey, storageRootKey, authValues, signal } = context;
  const policy = await startPolicySession(scope, context);
  await scope.execute(
    commands.PolicySecret,
    { authHandle: rh.endorsement, policySession: policy.handle },
    { signal, authorizations: [protection.authorize(authValues.endorsement)] },
  );
  const { certInfo } = await scope.execute(
    commands.ActivateCredential,
    {
      activateHandle: storageRootKey.handle,
      keyHandle: endorsementKey.handle,
      credentialBlob: blob.idObject,
      secret: blob.encryptedSecret,
    },
    {
      signal,
      authorizations: [
        protection.authorize(nothing, { encryptResponse: true }),
        { kind: 'session', session: policy, authValue: nothing, isLastUse: true },
      ],
      names: namesOf(storageRootKey, endorsementKey),
    },
  );
  return certInfo;
}

async function importAndLoad(
  scope: TpmScope,
  blob: ParsedActivationBlob,
  innerKey: Uint8Array,
  protection: Protection,
  { storageRootKey, signal }: ActivationContext,
): Promise<FreshKey> {
  const names = namesOf(storageRootKey);
  const symmetricAlg: SymmetricDefinition = {
    algorithm: 'aes',
    keyBits: innerKey.byteLength * 8,
    mode: 'cfb',
  };
  const { outPrivate } = await scope.execute(
    commands.Import,
    {
      parentHandle: storageRootKey.handle,
      encryptionKey: innerKey,
      objectPublic: blob.area,
      duplicate: blob.duplicate,
      inSymSeed: blob.encryptedSeed,
      symmetricAlg,
    },
    { signal, names, authorizations: [protection.authorize(nothing, { encryptCommand: true })] },
  );
  const { objectHandle, name } = await scope.execute(
    commands.Load,
    { parentHandle: storageRootKey.handle, inPrivate: outPrivate, inPublic: blob.area },
    { signal, names, authorizations: [protection.authorize(nothing)] },
  );
  if (!Buffer.from(name).equals(blob.name)) {
    throw new TpmKeyError(
      'ERR_TPM_NAME_MISMATCH',
      'the TPM loaded another key than the one in the activation blob',
    );
  }
  return { handle: objectHandle, name };
}

function namesOf(...keys: readonly LoadedKey[]): Map<number, Uint8Array> {
  return new Map(keys.map(({ handle, name }) => [handle, name]));
}
