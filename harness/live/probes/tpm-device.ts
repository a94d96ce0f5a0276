/** A TPM whose keys are at hand: what the service wrapped for it can be looked at from inside. */
import type { JsonObject } from '@endorse/interface';
import { splitActivationBlob } from '@endorse/protocol';
import type { SoftwareTpmKeys } from '@endorse/testkit';
import { generateSoftwareTpmKeys } from '@endorse/testkit';
import {
  activateCredentialSoftware,
  computeName,
  decodePublic,
  decryptActivationData,
  importDuplicateSoftware,
} from '@endorse/tpm2';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { Facts } from '../facts.ts';
import { describeFormat } from '../facts.ts';
import { ProbeFailure } from '../probe.ts';
import type { ProbeAnswer } from '../wire/http.ts';
import type { ProbeDevice } from '../device.ts';
import { hmacWith, nameDevice, signToken } from '../device.ts';

/** A device that registers with a TPM. */
export interface TpmProbeDevice extends ProbeDevice {
  readonly keys: SoftwareTpmKeys;
  /** The body that asks for a challenge. */
  readonly body: JsonObject;
}

/** Makes a TPM and enrolls it. */
export async function enrollTpmProbeDevice(service: ServiceUnderTest): Promise<TpmProbeDevice> {
  const device = await makeTpmProbeDevice(service);
  const { registrationId, keys } = device;
  await service.createTpmEnrollment({ registrationId, endorsementKey: keys.endorsementKey });
  return device;
}

/** Makes a TPM that nobody knows. */
export async function makeTpmProbeDevice(service: ServiceUnderTest): Promise<TpmProbeDevice> {
  const device = nameDevice(service);
  const keys = await generateSoftwareTpmKeys();
  const { registrationId } = device;
  return { ...device, keys, body: { registrationId, tpm: tpmBody(keys) } };
}

/** The public keys as a registration carries them. */
export function tpmBody({
  endorsementKey,
  storageRootKey,
}: SoftwareTpmKeys): Readonly<Record<'endorsementKey' | 'storageRootKey', string>> {
  return {
    endorsementKey: Buffer.from(endorsementKey).toString('base64'),
    storageRootKey: Buffer.from(storageRootKey).toString('base64'),
  };
}

/** A wrapped key, opened. */
export interface OpenedBlob {
  readonly facts: Facts;
  /** The key inside. */
  readonly key: Uint8Array;
}

/** Takes a blob apart, opens it as the TPM does, and says what was in it, without saying what it was. */
export function openBlob({ keys, names }: TpmProbeDevice, blob: Uint8Array): OpenedBlob {
  const parts = splitActivationBlob(blob);
  const innerKey = activateCredentialSoftware({
    endorsementKey: keys.endorsementArea,
    privateKey: keys.endorsementPrivateKey,
    objectName: computeName(keys.storageRootArea),
    idObject: parts.idObject,
    encryptedSecret: parts.encryptedSecret,
  });
  const area = decodePublic(parts.publicArea);
  const { sensitive } = importDuplicateSoftware({
    parent: keys.storageRootArea,
    privateKey: keys.storageRootPrivateKey,
    publicArea: area,
    innerKey,
    duplicate: parts.duplicate,
    encryptedSeed: parts.encryptedSeed,
  });
  const data = Buffer.from(decryptActivationData(innerKey, parts.encryptedUri)).toString('latin1');
  return {
    key: Uint8Array.from(sensitive),
    facts: {
      ...Object.fromEntries(
        Object.entries(parts)
          .filter(([name]) => name !== 'encryptedUri')
          .map(([name, part]) => [`blob ${name}`, `${(part as Uint8Array).byteLength} bytes`]),
      ),
      'blob inner key': `${innerKey.byteLength * 8} bits`,
      'blob key': `${sensitive.byteLength} bytes, ${area.type}, attributes ${JSON.stringify(area.objectAttributes)}`,
      'blob policy': `${area.authPolicy.byteLength} bytes`,
      'blob last part': /^[\x20-\x7e]+$/.test(data) ? describeFormat(data, names) : 'no text',
    },
  };
}

/** The blob of an answer: of a challenge, or of an assignment. */
export function blobOf({ json }: ProbeAnswer): Uint8Array {
  const state = json?.['registrationState'] as JsonObject | undefined;
  const tpm = state?.['tpm'] as JsonObject | undefined;
  const text = json?.['authenticationKey'] ?? tpm?.['authenticationKey'];
  if (typeof text !== 'string') throw new ProbeFailure('the answer carries no wrapped key');
  return Buffer.from(text, 'base64');
}

/** A token under the key in a blob. */
export function answerChallenge(device: TpmProbeDevice, blob: Uint8Array): Promise<string> {
  return signToken(device, hmacWith(openBlob(device, blob).key));
}
