/** What a device finds at a hub over AMQP, by link address. */

/** A node of a hub. */
export type HubNode =
  /** Where tokens are put (claims-based security). */
  | { readonly kind: 'cbs' }
  /** Where a device sends its events. */
  | { readonly kind: 'events'; readonly deviceId: string };

/** Reads a link address; undefined for what this hub has not. */
export function parseHubNode(address: string): HubNode | undefined {
  if (address === '$cbs') return { kind: 'cbs' };
  const match = /^(?:amqps?:\/\/[^/]*)?\/?devices\/([^/]+)\/messages\/events\/?$/i.exec(address);
  const deviceId = decode(match?.[1]);
  return deviceId === undefined ? undefined : { kind: 'events', deviceId };
}

/** The device of a hub token's resource, `host/devices/{id}`; undefined for any other. */
export function deviceOfResource(resource: string): string | undefined {
  return /^[^/]+\/devices\/([^/]+)$/i.exec(resource)?.[1];
}

function decode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
