import type { Socket } from 'node:net';

/** How long a close notification may take to leave before the socket is destroyed. */
const closeTimeoutMs = 1_000;

/** The sockets of one session, so that none outlives it. */
export interface SocketSet {
  /** Takes a socket in as soon as it is made; it leaves when it is closed. */
  add(socket: Socket): void;
  /** Destroys every socket, at once. */
  destroy(): void;
  /** Sends what is due (TLS close_notify, FIN) on every socket and waits until it is closed; bounded, never rejects. */
  close(): Promise<void>;
}

/** Makes an empty set. */
export function createSocketSet(): SocketSet {
  const sockets = new Set<Socket>();
  return {
    add: (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      await Promise.all([...sockets].map(sayGoodbye));
    },
  };
}

/** Sends what is due and destroys the socket. */
async function sayGoodbye(socket: Socket): Promise<void> {
  socket.destroySoon();
  if (socket.closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy();
      resolve();
    }, closeTimeoutMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
