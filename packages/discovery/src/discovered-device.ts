/** What a run knows of one device, and where it can be reached. */
import { isPlaceholderSerial, usableMac } from './device-identity.ts';
import type { DeviceAnnouncement } from './messages.ts';
import { formatUrlHost, isLinkLocalV6, localSubnetOf } from './network.ts';
import type { NetworkAddress } from './network.ts';

/** Why a device must not be provisioned without a person looking at it. */
export type IneligibilityReason =
  | 'serial-conflict'
  | 'placeholder-serial'
  | 'foreign-vendor'
  | 'foreign-model'
  | 'missing-capability'
  | 'not-expected';

/** What is odd about a device, and no reason to leave it out. */
export type DeviceWarning = 'zero-mac' | 'shared-mac' | 'announced-address-unreachable' | 'source-off-link';

/** A device that answered. */
export interface DiscoveredDevice {
  /** Vendor and serial in lower case; several devices have the same one when they are in conflict. */
  readonly key: string;
  /** What it said last. */
  readonly announcement: DeviceAnnouncement;
  /** Addresses that its answers came from, in the order they were seen; IPv6 link-local ones with their scope. */
  readonly sources: readonly string[];
  /** The address to connect to. */
  readonly address: string;
  /** Where that address comes from. */
  readonly addressOrigin: 'source' | 'announced';
  /** `https://address:port/path` of its API. */
  readonly apiUrl: string;
  /** Empty for a device that may be provisioned. */
  readonly ineligibleFor: readonly IneligibilityReason[];
  readonly warnings: readonly DeviceWarning[];
  /** When it first answered, in milliseconds since 1970. */
  readonly firstSeenAt: number;
}

/** Which devices may be provisioned; what is absent is not asked for. */
export interface EligibilityRules {
  /** Vendors, compared without regard to case. */
  readonly vendors?: readonly string[];
  /** Models, compared without regard to case; `*` stands for any characters: `AIG-3*`. */
  readonly models?: readonly string[];
  /** Capabilities it has to announce, every one. */
  readonly capabilities?: readonly string[];
}

/** What is known beside the announcement. */
export interface DeviceContext {
  readonly key: string;
  readonly sources: readonly string[];
  readonly firstSeenAt: number;
  /** True when another device answered with the same key. */
  readonly isConflicting: boolean;
  /** True when a device with another serial has the same MAC. */
  readonly sharesMac: boolean;
  /** False when an expected-serials list does not have it. */
  readonly isExpected: boolean;
  readonly network: readonly NetworkAddress[];
  readonly eligibility: EligibilityRules;
}

/** Puts together what a run knows of a device. */
export function describeDevice(announcement: DeviceAnnouncement, context: DeviceContext): DiscoveredDevice {
  const { key, sources, network, firstSeenAt } = context;
  const choice = chooseAddress(announcement, sources, network);
  const warnings: DeviceWarning[] = [
    ...(announcement.mac !== undefined && usableMac(announcement) === undefined
      ? (['zero-mac'] as const)
      : []),
    ...(context.sharesMac ? (['shared-mac'] as const) : []),
    ...choice.warnings,
  ];
  return Object.freeze({
    key,
    announcement,
    sources: Object.freeze([...sources]),
    address: choice.address,
    addressOrigin: choice.origin,
    apiUrl: `https://${formatUrlHost(choice.address, announcement.api.port)}${announcement.api.path}`,
    ineligibleFor: Object.freeze(ineligibility(announcement, context)),
    warnings: Object.freeze(warnings),
    firstSeenAt,
  });
}

interface AddressChoice {
  readonly address: string;
  readonly origin: 'source' | 'announced';
  readonly warnings: readonly DeviceWarning[];
}

/** The packet's source if it is on-link, else an announced address on a local subnet, else the source after all. */
function chooseAddress(
  { addresses }: DeviceAnnouncement,
  sources: readonly string[],
  network: readonly NetworkAddress[],
): AddressChoice {
  const isOnLink = (address: string): boolean => localSubnetOf(address, network) !== undefined;
  // A link-local address without its scope cannot be connected to, so only a source is one.
  const reachable = addresses.filter((address) => !isLinkLocalV6(address) && isOnLink(address));
  const strangers = addresses.filter(
    (address) => !sources.includes(address) && !isLinkLocalV6(address) && !isOnLink(address),
  );
  const unreachable = strangers.length > 0 ? (['announced-address-unreachable'] as const) : [];
  const [source = ''] = sources;
  const onLink = sources.find(isOnLink);
  if (onLink !== undefined) return { address: onLink, origin: 'source', warnings: unreachable };
  const [announced] = reachable;
  if (announced !== undefined) return { address: announced, origin: 'announced', warnings: unreachable };
  return { address: source, origin: 'source', warnings: [...unreachable, 'source-off-link'] };
}

function ineligibility(announcement: DeviceAnnouncement, context: DeviceContext): IneligibilityReason[] {
  const { eligibility, isConflicting, isExpected } = context;
  const reasons: IneligibilityReason[] = [];
  if (isConflicting) reasons.push('serial-conflict');
  if (isPlaceholderSerial(announcement.serial)) reasons.push('placeholder-serial');
  if (!matchesAny(announcement.vendor, eligibility.vendors)) reasons.push('foreign-vendor');
  if (!matchesAny(announcement.model, eligibility.models)) reasons.push('foreign-model');
  const needed = eligibility.capabilities ?? [];
  if (!needed.every((name) => announcement.capabilities.includes(name))) reasons.push('missing-capability');
  if (!isExpected) reasons.push('not-expected');
  return reasons;
}

function matchesAny(value: string | undefined, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined) return true;
  return value !== undefined && patterns.some((pattern) => matchesPattern(value, pattern));
}

/** Matches `*` without a regular expression, which a hostile pattern and value could make slow. */
function matchesPattern(value: string, pattern: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const text = value.toLowerCase();
  const [head = '', ...rest] = parts;
  if (rest.length === 0) return text === head;
  const tail = rest.pop() ?? '';
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > text.length - tail.length) return false;
    at = found + part.length;
  }
  return true;
}
