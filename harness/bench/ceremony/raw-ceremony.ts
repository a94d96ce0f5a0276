import type { RandomSource } from '@endorse/interface';
import type { TpmDevice } from '@endorse/security-tpm';
import {
  aes128Cfb,
  commands,
  createActivation,
  decodePublic,
  decodeResponse,
  encodeCommand,
  handles,
  passwordAuthorization,
  rh,
} from '@endorse/tpm2';
import type { ActivationParts, AuthorizationCommand, Command } from '@endorse/tpm2';

const commandTimeoutMs = 30_000;
const password = passwordAuthorization();
const noBytes = new Uint8Array(0);

/** Sends one command without any session and decodes the answer. */
async function send<Request, Response>(
  device: TpmDevice,
  command: Command<Request, Response>,
  request: Request,
  authorizations: readonly AuthorizationCommand[] = [],
): Promise<Response> {
  const bytes = encodeCommand(command, request, authorizations);
  const answer = await device.transmit(bytes, { timeoutMs: commandTimeoutMs });
  const frame = decodeResponse(command, answer, authorizations.length);
  return command.decodeResponse(frame.handles, frame.parameters);
}

/** Wraps a fresh key for the TPM behind `device`, as the provisioning service does. */
export async function wrapFreshKey(device: TpmDevice, random: RandomSource): Promise<ActivationParts> {
  const read = (objectHandle: number) => send(device, commands.ReadPublic, { objectHandle });
  const { outPublic: endorsementKey } = await read(handles.endorsementKey);
  const { outPublic: storageRootKey } = await read(handles.storageRootKey);
  return createActivation({ endorsementKey, storageRootKey, key: random.bytes(32), random });
}

/**
 * The bare ceremony: the commands that an activation and one signature need, with plain
 * passwords, no protected session, no checks, and nothing flushed on failure. It is the
 * floor that the real client is compared with, and it leaves no key behind.
 */
export async function runRawCeremony(
  device: TpmDevice,
  parts: ActivationParts,
  data: Uint8Array,
): Promise<void> {
  const { sessionHandle } = await send(device, commands.StartAuthSession, {
    nonceCaller: new Uint8Array(32),
    sessionType: 'policy',
    authHash: 'sha256',
  });
  const secret = { authHandle: rh.endorsement, policySession: sessionHandle };
  await send(device, commands.PolicySecret, secret, [password]);
  // Without continueSession the TPM flushes the session itself.
  const policy = { sessionHandle, nonceCaller: noBytes, sessionAttributes: 0, hmac: noBytes };
  const { certInfo } = await send(
    device,
    commands.ActivateCredential,
    {
      activateHandle: handles.storageRootKey,
      keyHandle: handles.endorsementKey,
      credentialBlob: parts.idObject,
      secret: parts.encryptedSecret,
    },
    [password, policy],
  );
  const objectPublic = decodePublic(parts.publicArea);
  const parentHandle = handles.storageRootKey;
  const { outPrivate } = await send(
    device,
    commands.Import,
    {
      parentHandle,
      encryptionKey: certInfo,
      objectPublic,
      duplicate: parts.duplicate,
      inSymSeed: parts.encryptedSeed,
      symmetricAlg: aes128Cfb,
    },
    [password],
  );
  const key = { parentHandle, inPrivate: outPrivate, inPublic: objectPublic };
  const { objectHandle } = await send(device, commands.Load, key, [password]);
  const evict = { auth: rh.owner, persistentHandle: handles.identityKey };
  await send(device, commands.EvictControl, { ...evict, objectHandle }, [password]);
  const hmac = { handle: handles.identityKey, buffer: data, hashAlg: 'sha256' } as const;
  await send(device, commands.HMAC, hmac, [password]);
  await send(device, commands.EvictControl, { ...evict, objectHandle: handles.identityKey }, [password]);
  await send(device, commands.FlushContext, { flushHandle: objectHandle });
}
