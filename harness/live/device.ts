/** The devices of the probes, and their tokens, made by hand: a probe may want one that no client of ours would make. */
import { createHmac } from 'node:crypto';
import type { Secret } from '@endorse/interface';
import type { ServiceUnderTest } from '../support/service/service-under-test.ts';
import { enrollSymmetricKey } from '../support/service/software-devices.ts';
import type { Names } from './facts.ts';

/** The `api-version` that devices of the probes speak. */
export const deviceApiVersion = '2021-06-01';

/** Who registers. */
export interface ProbeDevice {
  readonly idScope: string;
  readonly registrationId: string;
  /** What is different in each run. */
  readonly names: Names;
}

/** One with a symmetric key. */
export interface KeyDevice extends ProbeDevice {
  readonly key: Secret;
}

/** Names a device without enrolling it. */
export function nameDevice(service: ServiceUnderTest): ProbeDevice {
  const { idScope } = service;
  const registrationId = service.createRegistrationId();
  return { idScope, registrationId, names: namesOf(service, registrationId) };
}

/** What is different in each run, for a device and the service. */
export function namesOf(service: ServiceUnderTest, registrationId: string): Names {
  const { hostname, host } = new URL(service.endpoints.http);
  return [
    [registrationId, '<registration id>'],
    [service.idScope, '<ID scope>'],
    [`${hostname}:443`, '<host>'],
    [host, '<host>'],
    [service.client.hostName, '<host>'],
    [hostname, '<host>'],
  ];
}

/** Names a device and enrolls it by a symmetric key. */
export async function enrollKeyDevice(service: ServiceUnderTest): Promise<KeyDevice> {
  const device = nameDevice(service);
  return { ...device, key: await enrollSymmetricKey(service, device.registrationId) };
}

/** What to do otherwise than a good client. */
export interface TokenVariation {
  /** `sr` as it stands in the token and is signed. */
  readonly resource?: string;
  readonly expiresAtSeconds?: number;
  readonly keyName?: string | undefined;
}

/** The resource of a device's token, not encoded. */
export function resourceOf({ idScope, registrationId }: ProbeDevice): string {
  return `${idScope}/registrations/${registrationId}`;
}

/** Signs a token with whatever makes an HMAC. */
export async function signToken(
  device: ProbeDevice,
  sign: (data: Uint8Array) => Promise<Uint8Array>,
  variation: TokenVariation = {},
): Promise<string> {
  const resource = variation.resource ?? encodeURIComponent(resourceOf(device));
  const expiry = variation.expiresAtSeconds ?? Math.ceil(Date.now() / 1000) + 3600;
  const signature = Buffer.from(await sign(Buffer.from(`${resource}\n${expiry}`)));
  const keyName = 'keyName' in variation ? variation.keyName : 'registration';
  return [
    `SharedAccessSignature sr=${resource}`,
    `sig=${encodeURIComponent(signature.toString('base64'))}`,
    `se=${expiry}`,
    ...(keyName === undefined ? [] : [`skn=${keyName}`]),
  ].join('&');
}

/** Signs a token with the device's key. */
export function keyToken(device: KeyDevice, variation?: TokenVariation): Promise<string> {
  return signToken(device, hmacWith(device.key.reveal()), variation);
}

/** An HMAC-SHA256 under a key. */
export function hmacWith(key: Uint8Array): (data: Uint8Array) => Promise<Uint8Array> {
  return async (data) => createHmac('sha256', key).update(data).digest();
}
