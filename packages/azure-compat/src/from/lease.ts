import { LocalProtocolError } from '@endorse/interface';

/** Told what its transport emits as `error`. */
export type ErrorListener = (error: unknown) => void;

/** Foreign transports that have ever served a session, with who has each now. */
const holders = new WeakMap<object, { listener: ErrorListener | undefined }>();

/**
 * Takes a foreign transport for one session; the function that is returned gives it back.
 *
 * Official transports keep host, keys and token of a registration, so they serve one device at a time: throws
 * `ERR_LOCAL_STATE` while another session has this one. They also emit what goes wrong between two calls as an `error`,
 * which would end a process that does not listen: from its first lease on, somebody does.
 */
export function leaseTransport(transport: object, listener: ErrorListener): () => void {
  const holder = holders.get(transport) ?? listen(transport);
  if (holder.listener !== undefined) {
    throw new LocalProtocolError(
      'ERR_LOCAL_STATE',
      'this transport of the official SDK is in use, and serves one device at a time',
      {
        state: 'busy',
        remedy: 'Let the function given to fromAzureTransport() make a new one at each call.',
      },
    );
  }
  holder.listener = listener;
  return () => {
    holder.listener = undefined;
  };
}

function listen(transport: object): { listener: ErrorListener | undefined } {
  const holder: { listener: ErrorListener | undefined } = { listener: undefined };
  holders.set(transport, holder);
  if (emits(transport)) transport.on('error', (error) => holder.listener?.(error));
  return holder;
}

function emits(transport: object): transport is { on(event: 'error', listener: ErrorListener): void } {
  return 'on' in transport && typeof transport.on === 'function';
}
