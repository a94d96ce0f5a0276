/** Decides which sockets a run binds and where each sends, from the interfaces there are. */
import { DiscoveryError } from './discovery-error.ts';
import type { NetworkAddress } from './network.ts';
import { directedBroadcast, isLinkLocalV6, splitScope } from './network.ts';
import type { DatagramBinding } from './sockets.ts';
import type { Endpoint } from './targets.ts';

/** The well-known UDP port of discovery. */
export const defaultDiscoveryPort = 40_404;

/** Transient link-local group of responders; its last 16 bits are the port. IANA assigned none. */
export const discoveryMulticastGroup = 'ff12::9dd4';

/** One socket of a run. */
export interface PlannedSocket {
  /** For messages: `eth0 (192.168.3.10)`. */
  readonly name: string;
  readonly binding: DatagramBinding;
  readonly destinations: readonly Endpoint[];
}

/** What a plan is made from. */
export interface ProbePlanInput {
  readonly port: number;
  readonly network: readonly NetworkAddress[];
  /** Names or addresses; all usable ones when undefined. */
  readonly interfaces: readonly string[] | undefined;
  readonly targets: readonly Endpoint[];
  /** Asks interfaces by broadcast. */
  readonly broadcast: boolean;
  /** Asks interfaces by IPv6 multicast. */
  readonly ipv6: boolean;
  /** Counts loopback among the usable interfaces. */
  readonly loopback: boolean;
}

/**
 * One socket an IPv4 address, because a socket on 0.0.0.0 broadcasts by the default route only; one an interface
 * for IPv6; one a family for explicit targets. Throws `ERR_DISCOVERY_NO_INTERFACE` when nothing is left to ask.
 */
export function planProbes(input: ProbePlanInput): readonly PlannedSocket[] {
  const { network, interfaces, loopback } = input;
  const usable = network.filter(
    ({ interfaceName, address, internal }) =>
      interfaces?.some((name) => name === interfaceName || name === address) ?? (loopback || !internal),
  );
  const sockets = [
    ...(input.broadcast ? usable.flatMap((entry) => broadcastSocket(entry, input.port)) : []),
    ...(input.ipv6 ? multicastSockets(usable, input.port) : []),
    ...targetSockets(input.targets),
  ];
  if (sockets.length > 0) return sockets;
  const names = [...new Set(network.map(({ interfaceName }) => interfaceName))].join(', ') || 'none';
  throw new DiscoveryError(
    'ERR_DISCOVERY_NO_INTERFACE',
    interfaces === undefined
      ? `no network interface can broadcast; there are: ${names}`
      : `none of the interfaces ${interfaces.join(', ')} can broadcast; there are: ${names}`,
    { remedy: 'Connect to the network of the devices, or give their addresses as targets.' },
  );
}

function broadcastSocket(entry: NetworkAddress, port: number): readonly PlannedSocket[] {
  const directed = directedBroadcast(entry);
  if (directed === undefined) return [];
  // Devices with a static address of another subnet hear only the limited broadcast.
  const addresses = entry.internal ? [directed] : [directed, '255.255.255.255'];
  return [
    {
      name: `${entry.interfaceName} (${entry.address})`,
      binding: { family: 'ipv4', address: entry.address, port: 0, shareAddress: false },
      destinations: addresses.map((address) => ({ address, port })),
    },
  ];
}

function multicastSockets(usable: readonly NetworkAddress[], port: number): readonly PlannedSocket[] {
  const linkLocal = usable.filter(({ family, address }) => family === 'ipv6' && isLinkLocalV6(address));
  const names = [...new Set(linkLocal.map(({ interfaceName }) => interfaceName))];
  return names.map((name) => ({
    name: `${name} (IPv6)`,
    binding: { family: 'ipv6', address: '::', port: 0, shareAddress: false, multicastInterface: name },
    destinations: [{ address: `${discoveryMulticastGroup}%${name}`, port }],
  }));
}

function targetSockets(targets: readonly Endpoint[]): readonly PlannedSocket[] {
  const isV6 = ({ address }: Endpoint): boolean => splitScope(address).bare.includes(':');
  const families = [
    { family: 'ipv4', address: '0.0.0.0', destinations: targets.filter((target) => !isV6(target)) },
    { family: 'ipv6', address: '::', destinations: targets.filter(isV6) },
  ] as const;
  return families
    .filter(({ destinations }) => destinations.length > 0)
    .map(({ family, address, destinations }) => ({
      name: `explicit targets (${family === 'ipv4' ? 'IPv4' : 'IPv6'})`,
      binding: { family, address, port: 0, shareAddress: false },
      destinations,
    }));
}
