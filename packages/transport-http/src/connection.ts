import type { TLSSocket } from 'node:tls';
import { createSocketSource } from '@endorse/transport-socket';
import type { ConnectorSettings } from '@endorse/transport-socket/connector';
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

/** A connection that can be made before it is needed. */
export interface EagerConnection extends Connection {
  /** Connects for the next request. Rejects with `TransportError`; {@link Connection.drop} cuts it short. */
  connect(): Promise<void>;
}

/** An idle connection is kept this long when the server does not say; registrations poll every few seconds. */
const keepAliveTimeoutMs = 60_000;

/** How long a dispatcher of the application may take to go. */
const closeTimeoutMs = 1_000;

/** A connection made by us. */
export function createConnection(
  origin: string,
  settings: ConnectorSettings,
  limits: { readonly maxHeaderBytes: number },
): EagerConnection {
  const { open, sockets } = createSocketSource(settings);
  let current: { readonly client: Promise<OwnedHttpDispatcher>; readonly ended: AbortController } | undefined;
  let connecting = new AbortController();
  let spare: TLSSocket | undefined;

  const take = (): TLSSocket | undefined => {
    const taken = spare;
    spare = undefined;
    return taken?.destroyed === false && taken.readable ? taken : undefined;
  };
  const make = async (ended: AbortSignal): Promise<OwnedHttpDispatcher> => {
    const Client = await loadClient();
    return new Client(origin, {
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connect: (_options, callback) => {
        const ready = take();
        (ready === undefined ? open(ended) : Promise.resolve(ready)).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
  };
  const drop = (): void => {
    const lost = current;
    current = undefined;
    spare = undefined;
    lost?.ended.abort();
    connecting.abort();
    connecting = new AbortController();
    sockets.destroy();
    lost?.client.then((client) => client.destroy()).catch(() => undefined);
  };
  return {
    connect: async () => {
      const { signal } = connecting;
      const socket = await open(signal);
      if (!signal.aborted) spare = socket;
    },
    dispatcher: () => {
      if (current === undefined) {
        const ended = new AbortController();
        current = { client: make(ended.signal), ended };
      }
      return current.client;
    },
    drop,
    close: async () => {
      await sockets.close();
      drop();
      await sockets.close();
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
