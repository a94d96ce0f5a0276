/** One Ethernet segment in memory: hosts with addresses, datagrams that arrive at once or are lost. */
import type {
  BindDatagramSocket,
  DatagramBinding,
  DatagramHandlers,
  Endpoint,
  NetworkAddress,
} from '@endorse/discovery';
import { directedBroadcast } from '@endorse/discovery';

interface Bound {
  readonly host: readonly NetworkAddress[];
  readonly binding: DatagramBinding;
  readonly handlers: DatagramHandlers;
  readonly local: Endpoint;
}

/** A datagram that was sent. */
export interface SentDatagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
}

/** The segment. */
export class VirtualLink {
  readonly sent: SentDatagram[] = [];
  readonly #bound = new Set<Bound>();
  #nextPort = 49_152;
  /** Says whether a datagram is lost on the way. */
  isLost: (datagram: SentDatagram) => boolean = () => false;

  /** Sockets that are open. */
  get openSockets(): number {
    return this.#bound.size;
  }

  /** A host with one IPv4 address, and one of IPv6 where given. */
  host(address: string, options: { readonly ipv6?: string; readonly netmask?: string } = {}) {
    const { ipv6, netmask = '255.255.255.0' } = options;
    const network: NetworkAddress[] = [
      { interfaceName: 'eth0', family: 'ipv4', address, netmask, internal: false },
    ];
    if (ipv6 !== undefined) {
      network.push({
        interfaceName: 'eth0',
        family: 'ipv6',
        address: ipv6,
        netmask: 'ffff:ffff:ffff:ffff::',
        internal: false,
      });
    }
    return { network: () => network, bindSocket: this.#binder(network) };
  }

  /** Hands a datagram to whoever listens on a port of an address, as if from anywhere. */
  inject(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    for (const { local, handlers } of [...this.#bound]) {
      if (local.port === to.port && local.address === to.address) handlers.onDatagram(bytes, from);
    }
  }

  #binder(host: readonly NetworkAddress[]): BindDatagramSocket {
    return async (binding, handlers, signal) => {
      signal.throwIfAborted();
      const port = binding.port === 0 ? (this.#nextPort += 1) : binding.port;
      const bound: Bound = { host, binding, handlers, local: { address: binding.address, port } };
      this.#bound.add(bound);
      return {
        local: bound.local,
        send: async (bytes, to) => {
          if (!this.#bound.has(bound)) throw new Error('socket is closed');
          const datagram = { from: { address: sourceAddress(bound, to), port }, to, bytes };
          this.sent.push(datagram);
          if (!this.isLost(datagram)) this.#deliver(datagram);
        },
        close: () => void this.#bound.delete(bound),
      };
    };
  }

  #deliver({ from, to, bytes }: SentDatagram): void {
    for (const { binding, host, local, handlers } of [...this.#bound]) {
      if (local.port !== to.port) continue;
      const isWildcard = binding.address === '0.0.0.0' || binding.address === '::';
      const isMine = host.some((entry) => scoped(entry) === to.address || entry.address === to.address);
      const hasOwn = [...this.#bound].some(
        (other) => other.host === host && other.local.port === to.port && other.local.address === to.address,
      );
      const isUnicast = isMine && (local.address === to.address || (isWildcard && !hasOwn));
      const isBroadcast =
        isWildcard &&
        (to.address === '255.255.255.255' || host.some((entry) => directedBroadcast(entry) === to.address));
      const isMulticast = binding.membership?.group === to.address.split('%')[0];
      if (isUnicast || isBroadcast || isMulticast) handlers.onDatagram(bytes, from);
    }
  }
}

function scoped(entry: NetworkAddress): string {
  return entry.family === 'ipv6' ? `${entry.address}%${entry.interfaceName}` : entry.address;
}

function sourceAddress({ host, binding }: Bound, to: Endpoint): string {
  if (binding.address !== '0.0.0.0' && binding.address !== '::') return binding.address;
  const family = to.address.includes(':') ? 'ipv6' : 'ipv4';
  const entry = host.find((candidate) => candidate.family === family);
  return entry === undefined ? binding.address : scoped(entry);
}
