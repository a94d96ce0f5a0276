import type { Dispatcher, Pool } from 'undici';

/** The parts of undici that are used. */
export interface UndiciParts {
  readonly Pool: typeof Pool;
  readonly request: Dispatcher['request'];
}

/**
 * Loads undici's pool and request, at the first request of a process.
 *
 * Only their files: the whole of undici, with `fetch` and its caches, takes about three times as long. Should a later
 * undici move or hide them, the index does as well.
 */
export async function loadUndici(load: () => Promise<UndiciParts> = loadFiles): Promise<UndiciParts> {
  try {
    return await load();
  } catch {
    const { Pool: pool, Dispatcher: base } = await import('undici');
    return { Pool: pool, request: base.prototype.request };
  }
}

async function loadFiles(): Promise<UndiciParts> {
  const [pool, request] = await Promise.all([
    import('undici/lib/dispatcher/pool.js'),
    import('undici/lib/api/api-request.js'),
  ]);
  return { Pool: pool.default, request: request.default };
}
