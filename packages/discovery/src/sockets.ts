import type { Endpoint } from './targets.ts';

/** What to bind. */
export interface DatagramBinding {
  readonly family: 'ipv4' | 'ipv6';
  /** Local address: `0.0.0.0`, `::`, or one of an interface, IPv6 link-local ones with their scope. */
  readonly address: string;
  /** UDP port; 0 lets the system choose. */
  readonly port: number;
  /** Lets several sockets of the machine share address and port, as responders do. */
  readonly shareAddress: boolean;
  /** IPv6 group to join, on every interface named. */
  readonly membership?: { readonly group: string; readonly interfaceNames: readonly string[] };
  /** Interface that multicast leaves by. */
  readonly multicastInterface?: string;
}

/** What happens on a bound socket; must not throw. */
export interface DatagramHandlers {
  readonly onDatagram: (datagram: Uint8Array, source: Endpoint) => void;
  /** The socket is broken; it is closed already. */
  readonly onError: (error: Error) => void;
}

/** A bound socket. */
export interface DatagramSocket {
  readonly local: Endpoint;
  /** Sends one datagram; rejects with the system's error. */
  send(datagram: Uint8Array, destination: Endpoint): Promise<void>;
  /** Closes at once; nothing is received any more. Harmless when repeated. */
  close(): void;
}

/** Port to UDP: binds a socket, or rejects with the system's error. The system's is the default everywhere. */
export type BindDatagramSocket = (
  binding: DatagramBinding,
  handlers: DatagramHandlers,
  signal: AbortSignal,
) => Promise<DatagramSocket>;
