import { defaultHubApiVersion, parseApiVersion, validateApiVersion } from '../identifiers/api-version.ts';
import { findDeviceIdProblem, validateDeviceId } from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import { isWord, splitTarget } from './target-path.ts';

/** A device-to-cloud event request of the hub, decoded. */
export interface HubEventTarget {
  readonly kind: 'send-event';
  readonly deviceId: string;
  readonly apiVersion: string;
}

/** Target of the hub's `POST /devices/{deviceId}/messages/events`. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeHubEventTarget(request: {
  readonly deviceId: string;
  /** Default {@link defaultHubApiVersion}. */
  readonly apiVersion?: string | undefined;
}): string {
  const version = validateApiVersion(request.apiVersion ?? defaultHubApiVersion);
  return `/devices/${percentEncode(validateDeviceId(request.deviceId))}/messages/events?api-version=${version}`;
}

/**
 * Decodes an event request of the hub; undefined when the path is another. Throws
 * `ERR_REMOTE_UNEXPECTED` (evidence path `method`) or `ERR_REMOTE_MALFORMED`.
 */
export function parseHubTarget(method: string, target: string): HubEventTarget | undefined {
  const { segments, query } = splitTarget(target);
  const [devices, deviceId = '', messages, events] = segments;
  if (segments.length !== 4 || !isWord(devices, 'devices')) return undefined;
  if (!isWord(messages, 'messages') || !isWord(events, 'events')) return undefined;
  if (method !== 'POST') {
    const options = { code: 'ERR_REMOTE_UNEXPECTED', sample: method } as const;
    throw malformed('request target', 'method', 'must be POST for events', options);
  }
  const problem = findDeviceIdProblem(deviceId);
  if (problem !== undefined) throw malformed('request target', 'deviceId', problem);
  return { kind: 'send-event', deviceId, apiVersion: parseApiVersion(query.get('api-version')).text };
}
