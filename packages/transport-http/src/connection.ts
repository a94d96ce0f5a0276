import type { Socket } from 'node:net';
import type { Connector, ConnectorSettings } from './connector.ts';
import type { HttpDispatcher, OwnedHttpDispatcher } from './dispatcher.ts';
import { loadClient } from './load-client.ts';

/** The one connection of a session: opened at a request, kept alive between requests, opened again after a loss. */
export interface Connection {
  /** What the next request is sent through. */
  dispatcher(): Promise<HttpDispatcher>;
  /** Takes down what there is, at once; the next request starts afresh. */
  drop(): void;
  /** Says goodbye and lets go of every socket; bounded, never rejects. */
  close(): Promise<void>;
}

/** An idle connection is kept this long when the server does not say; registrations poll every few seconds. */
const keepAliveTimeoutMs = 60_000;

/** How long a close notification may take to leave before the socket is destroyed. */
const closeTimeoutMs = 1_000;

/** A connection made by us. */
export function createConnection(
  origin: string,
  settings: ConnectorSettings,
  limits: { readonly maxHeaderBytes: number },
): Connection {
  const sockets = new Set<Socket>();
  let connector: Promise<Connector> | undefined;
  let current: { readonly client: Promise<OwnedHttpDispatcher>; readonly ended: AbortController } | undefined;

  const make = async (ended: AbortSignal): Promise<OwnedHttpDispatcher> => {
    connector ??= import('./connector.ts').then(({ createConnector }) => createConnector(settings));
    connector.catch(() => {
      connector = undefined;
    });
    const [Client, { open }] = await Promise.all([loadClient(), connector]);
    const track = (socket: Socket): void => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // A tunnel has several steps: the next one must not begin after the end.
      if (ended.aborted) socket.destroy();
    };
    return new Client(origin, {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connect: (_options, callback) => {
        open(track).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
  };
  const drop = (): void => {
    const lost = current;
    current = undefined;
    lost?.ended.abort();
    for (const socket of sockets) socket.destroy();
    lost?.client.then((client) => client.destroy()).catch(() => undefined);
  };
  return {
    dispatcher: () => {
      if (current === undefined) {
        const ended = new AbortController();
        current = { client: make(ended.signal), ended };
      }
      return current.client;
    },
    drop,
    close: async () => {
      await Promise.all([...sockets].map(sayGoodbye));
      drop();
      await Promise.all([...sockets].map(closed));
    },
  };
}

/** Somebody else's dispatcher: nothing to open and nothing to close. */
export function borrowConnection(dispatcher: HttpDispatcher): Connection {
  return { dispatcher: async () => dispatcher, drop: () => undefined, close: async () => undefined };
}

/** A dispatcher made for this session by the application, made again after a loss. */
export function ownConnection(make: () => OwnedHttpDispatcher): Connection {
  let current: OwnedHttpDispatcher | undefined;
  const end = async (): Promise<void> => {
    const ended = current;
    current = undefined;
    if (ended === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    await Promise.race([ended.destroy().catch(() => undefined), late]);
    clearTimeout(timer);
  };
  return {
    dispatcher: async () => (current ??= make()),
    drop: () => void end(),
    close: end,
  };
}

/** Sends what is due (TLS close_notify, FIN) and destroys the socket. */
async function sayGoodbye(socket: Socket): Promise<void> {
  socket.destroySoon();
  await closed(socket);
}

/** Waits until the socket is closed, for a bounded time, and makes it so. */
async function closed(socket: Socket): Promise<void> {
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
