/** Registration ids of live runs: whose they are and from when can be read from the id, so that leftovers can be told. */
import { randomBytes } from 'node:crypto';

const prefix = 'endorse-live-';

/** Makes a registration id nobody else has, 32 characters of what every attestation takes. */
export function createLiveId(nowMs: number): string {
  return `${prefix}${Math.floor(nowMs / 1000)}-${randomBytes(4).toString('hex')}`;
}

/** When an id was made, in milliseconds; undefined for one that no live run made. */
export function readLiveId(registrationId: string): number | undefined {
  const [, seconds] = /^endorse-live-(\d{10})-[0-9a-f]{8}$/.exec(registrationId) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
