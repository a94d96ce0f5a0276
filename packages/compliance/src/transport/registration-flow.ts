import type {
  AttestationKind,
  RegisterRequest,
  RegistrationInfo,
  RegistrationReply,
  RegistrationSession,
  Secret,
  SessionAttestation,
  Transport,
} from '@endorse/interface';
import { createSasToken, registrationKeyName, registrationResource } from '@endorse/protocol';
import { expect } from 'vitest';
import type { DeviceFixture, TransportFixture } from './fixture.ts';

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal;

/** The device for an attestation; undefined, after asserting the refusal, when the transport does not carry it. */
export function carriedDevice(
  { transport, devices }: Pick<TransportFixture, 'transport' | 'devices'>,
  kind: AttestationKind,
): DeviceFixture | undefined {
  const { attestations, refusals } = transport.capabilities;
  if (!attestations.includes(kind)) {
    expect(refusals[kind]).toMatch(/\S/);
    return undefined;
  }
  const device = devices[kind];
  if (device === undefined) expect.fail(`the fixture must bring a device for ${kind}`);
  return device;
}

/** Opens a session for a device, optionally to another host than its own. */
export async function openSession(
  transport: Transport,
  device: DeviceFixture,
  provisioningHost: string = device.target.provisioningHost,
): Promise<RegistrationSession> {
  return transport.openSession({ ...device.target, provisioningHost }, await attestationOf(device));
}

/** What a session of the device is opened with. */
export async function attestationOf(device: DeviceFixture): Promise<SessionAttestation> {
  switch (device.kind) {
    case 'tpm':
    case 'symmetric-key':
      return { kind: device.kind };
    case 'x509':
      return { kind: 'x509', certificate: await device.securityClient.getCertificate() };
    default:
      return device satisfies never;
  }
}

/** What the device says about itself when it registers. */
export async function registrationInfoOf(device: DeviceFixture): Promise<RegistrationInfo> {
  const { registrationId } = device.target;
  if (device.kind !== 'tpm') return { registrationId };
  return {
    registrationId,
    endorsementKey: await device.securityClient.getEndorsementKey(),
    storageRootKey: await device.securityClient.getStorageRootKey(),
  };
}

/** Makes the register request of a device; a TPM gets its key from a challenge first. */
export async function authenticate(
  session: RegistrationSession,
  device: DeviceFixture,
): Promise<RegisterRequest> {
  const registrationInfo = await registrationInfoOf(device);
  switch (device.kind) {
    case 'x509':
      return { registrationInfo };
    case 'symmetric-key':
      return { registrationInfo, sasToken: await signToken(device, registrationKeyName) };
    case 'tpm': {
      const { endorsementKey, storageRootKey } = registrationInfo as Required<RegistrationInfo>;
      const challenge = await session.getAuthenticationChallenge(
        { ...device.target, endorsementKey, storageRootKey },
        { signal: never },
      );
      await device.securityClient.activateIdentityKey(challenge.activationBlob);
      return { registrationInfo, sasToken: await signToken(device, challenge.keyName) };
    }
    default:
      return device satisfies never;
  }
}

/** Registers and polls until the operation has ended; at most 200 polls, with the pauses asked for up to 1 s. */
export async function registerToEnd(
  session: RegistrationSession,
  request: RegisterRequest,
): Promise<RegistrationReply> {
  const { registrationId } = request.registrationInfo;
  let reply = await session.register(request, { signal: never });
  for (let poll = 0; poll < 200 && reply.operation.status === 'assigning'; poll += 1) {
    await pause(Math.min(reply.retryAfterMs ?? 10, 1_000));
    reply = await session.queryOperationStatus(
      { ...tokenOf(request), registrationId, operationId: reply.operation.operationId },
      { signal: never },
    );
  }
  return reply;
}

/** The token of a register request, to be spread into another request. */
export function tokenOf({ sasToken }: RegisterRequest): { readonly sasToken?: Secret } {
  return sasToken === undefined ? {} : { sasToken };
}

/** Signs a token for the device with its own key, or with any other signature. */
export async function signToken(
  device: Extract<DeviceFixture, { kind: 'tpm' | 'symmetric-key' }>,
  keyName: string,
  sign: (data: Uint8Array) => Promise<Uint8Array> = (data) => device.securityClient.signWithIdentity(data),
): Promise<Secret> {
  const { idScope, registrationId } = device.target;
  return createSasToken({
    resource: registrationResource(idScope, registrationId),
    expiresAt: Date.now() + 3_600_000,
    keyName,
    sign,
  });
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
