/** Interfaces and address arithmetic: which socket to bind, where to broadcast, what is on the same link. */
import { isIP, isIPv4 } from 'node:net';

/** One address of one network interface; what `os.networkInterfaces()` says, flattened. */
export interface NetworkAddress {
  readonly interfaceName: string;
  readonly family: 'ipv4' | 'ipv6';
  /** IPv6 link-local addresses without their scope. */
  readonly address: string;
  readonly netmask: string;
  /** True for loopback. */
  readonly internal: boolean;
}

/** The directed broadcast address of a subnet; undefined for /31 and /32, which have none, and for IPv6. */
export function directedBroadcast(entry: NetworkAddress): string | undefined {
  if (entry.family !== 'ipv4') return undefined;
  const mask = toNumber(entry.netmask);
  const hostBits = ~mask >>> 0;
  return hostBits <= 1 ? undefined : toText((toNumber(entry.address) | hostBits) >>> 0);
}

/**
 * The entry in whose subnet an address lies; for IPv6 link-local addresses the one of the interface in its scope.
 * The most specific subnet wins.
 */
export function localSubnetOf(
  address: string,
  network: readonly NetworkAddress[],
): NetworkAddress | undefined {
  const { bare, scope } = splitScope(address);
  if (isIPv4(bare)) {
    return network
      .filter(({ family }) => family === 'ipv4')
      .filter((entry) => {
        const mask = toNumber(entry.netmask);
        return (toNumber(bare) & mask) === (toNumber(entry.address) & mask);
      })
      .toSorted((a, b) => toNumber(b.netmask) - toNumber(a.netmask))[0];
  }
  if (!isLinkLocalV6(bare)) {
    return network.find((entry) => entry.family === 'ipv6' && entry.address === bare);
  }
  return network.find(
    (entry) =>
      entry.family === 'ipv6' &&
      isLinkLocalV6(entry.address) &&
      // On Windows the scope is the index of the interface; then any link-local subnet will do.
      (scope === undefined || /^\d+$/.test(scope) || entry.interfaceName === scope),
  );
}

/** True for `fe80::/10`, with or without a scope. */
export function isLinkLocalV6(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

/** Splits `fe80::1%eth0` into address and scope. */
export function splitScope(address: string): { readonly bare: string; readonly scope: string | undefined } {
  const at = address.indexOf('%');
  return at === -1
    ? { bare: address, scope: undefined }
    : { bare: address.slice(0, at), scope: address.slice(at + 1) };
}

/** The addresses of an IPv4 range such as `192.168.3.0/28`, network and broadcast address left out. */
export function* addressesOfRange(base: string, prefixLength: number): Generator<string> {
  const hostBits = prefixLength === 0 ? 0xff_ff_ff_ff : (2 ** (32 - prefixLength) - 1) >>> 0;
  const first = (toNumber(base) & ~hostBits) >>> 0;
  const last = (first | hostBits) >>> 0;
  const [from, to] = prefixLength >= 31 ? [first, last] : [first + 1, last - 1];
  for (let address = from; address <= to; address += 1) yield toText(address);
}

/** Writes host and port as a URL does: IPv6 in brackets, its scope percent-encoded (RFC 6874). */
export function formatUrlHost(address: string, port: number): string {
  return isIP(splitScope(address).bare) === 6
    ? `[${address.replace('%', '%25')}]:${port}`
    : `${address}:${port}`;
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
