import { createHook } from 'node:async_hooks';

/** Everything that keeps the process alive and was made since the watch began. */
export interface ResourceWatch extends Disposable {
  /** How many there are now. */
  readonly count: number;
  /** Waits until all of it is gone; throws with a list after five seconds. */
  released(): Promise<void>;
}

/**
 * Watches sockets, servers, pipes, lookups and timers that are made from now on. What existed before does not
 * count, so that the leftovers of one test neither hide nor cause those of another.
 */
export function watchResources(): ResourceWatch {
  const resources = new Map<number, { readonly type: string; readonly resource: object }>();
  const hook = createHook({
    init(asyncId, type, _triggerAsyncId, resource: object) {
      if (watchedTypes.has(type)) resources.set(asyncId, { type, resource });
    },
    destroy(asyncId) {
      resources.delete(asyncId);
    },
  }).enable();
  const left = (): string[] =>
    [...resources.values()].filter(({ resource }) => keepsAlive(resource)).map(({ type }) => type);
  return {
    get count() {
      return left().length;
    },
    async released() {
      const deadline = performance.now() + patienceMs;
      // By immediates: a timer would find itself.
      for (let found = left(); found.length > 0; found = left()) {
        if (performance.now() > deadline) throw new Error(`left behind: ${found.toSorted().join(', ')}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    [Symbol.dispose]: () => void hook.disable(),
  };
}

/** Waits until `condition` holds; throws with `describe()` after five seconds. */
export async function eventually(condition: () => boolean, describe: () => string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(describe());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Closing takes a few turns of the event loop on either side; a machine under load takes longer. */
const patienceMs = 5_000;

// A TLSWRAP is only let go of by the garbage collector; the TCPWRAP under it tells the same.
const watchedTypes: ReadonlySet<string> = new Set([
  'FSEVENTWRAP',
  'GETADDRINFOREQWRAP',
  'HTTP2SESSION',
  'MESSAGEPORT',
  'PIPESERVERWRAP',
  'PIPEWRAP',
  'PROCESSWRAP',
  'TCPSERVERWRAP',
  'TCPWRAP',
  'Timeout',
  'UDPWRAP',
  'WORKER',
]);

function keepsAlive(resource: object): boolean {
  const { hasRef } = resource as { hasRef?: unknown };
  return typeof hasRef === 'function' ? hasRef.call(resource) === true : true;
}
