/** UDP and interfaces of Node.js, with the order of calls that its sockets need. */
import { type Socket, createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { NetworkAddress } from './network.ts';
import type { BindDatagramSocket, DatagramBinding, DatagramSocket } from './sockets.ts';

/** A fleet may answer at once: the system caps this at its own limit. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** Binds UDP sockets of the system. */
export const bindSystemSocket: BindDatagramSocket = (binding, { onDatagram, onError }, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const socket = createSocket({
      type: binding.family === 'ipv4' ? 'udp4' : 'udp6',
      reuseAddr: binding.shareAddress,
      ipv6Only: binding.family === 'ipv6',
      // Only IP addresses come here. The default lookup would put a send off to a later turn, in which the
      // socket may be closed, and its callback would be lost.
      lookup: (address, _family, found) => found(null, address, binding.family === 'ipv4' ? 4 : 6),
    });
    const close = closer(socket);
    const onAbort = (): void => {
      close();
      reject(signal.reason);
    };
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort);
      close();
      reject(error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', fail);
    socket.bind({ address: binding.address, port: binding.port, exclusive: true }, () => {
      socket.off('error', fail);
      signal.removeEventListener('abort', onAbort);
      try {
        configure(socket, binding);
      } catch (error) {
        fail(error as Error);
        return;
      }
      socket.on('error', (error) => {
        close();
        onError(error);
      });
      socket.on('message', (datagram, { address, port }) => onDatagram(datagram, { address, port }));
      resolve(asPort(socket, close));
    });
  });

/** Addresses of the interfaces that are up. */
export function systemNetwork(): readonly NetworkAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([interfaceName, entries = []]) =>
    entries.map(({ family, address, netmask, internal }) => ({
      interfaceName,
      family: family === 'IPv4' ? ('ipv4' as const) : ('ipv6' as const),
      address,
      netmask,
      internal,
    })),
  );
}

function configure(socket: Socket, { family, membership, multicastInterface }: DatagramBinding): void {
  // Only a bound socket takes these: earlier they fail with EBADF.
  if (family === 'ipv4') socket.setBroadcast(true);
  socket.setRecvBufferSize(receiveBufferBytes);
  for (const name of membership?.interfaceNames ?? []) {
    socket.addMembership(membership?.group ?? '', `::%${name}`);
  }
  if (multicastInterface !== undefined) socket.setMulticastInterface(`::%${multicastInterface}`);
}

function closer(socket: Socket): () => void {
  let isOpen = true;
  return () => {
    if (!isOpen) return;
    isOpen = false;
    socket.removeAllListeners('message');
    socket.on('error', () => undefined);
    socket.close();
  };
}

function asPort(socket: Socket, close: () => void): DatagramSocket {
  const { address, port } = socket.address();
  return {
    local: { address, port },
    send: (datagram, destination) =>
      new Promise((resolve, reject) => {
        try {
          socket.send(datagram, destination.port, destination.address, (error) =>
            error === null || error === undefined ? resolve() : reject(error),
          );
        } catch (error) {
          // A closed socket throws instead of calling back.
          reject(error);
        }
      }),
    close,
  };
}
