import type { Dispatcher, EnvHttpProxyAgent, Pool, ProxyAgent } from 'undici';

/** The parts of undici a direct connection takes. */
export interface DirectParts {
  readonly Pool: typeof Pool;
  readonly request: Dispatcher['request'];
}

/** The parts of undici a connection through a proxy takes. */
export interface ProxyParts {
  readonly ProxyAgent: typeof ProxyAgent;
  readonly EnvHttpProxyAgent: typeof EnvHttpProxyAgent;
  readonly request: Dispatcher['request'];
}

/**
 * Loads undici's pool and request, at the first request of a process.
 *
 * Only their files: the whole of undici, with `fetch` and its caches, takes about three times as long. Should a later
 * undici move or hide them, the index does as well.
 */
export async function loadDirectParts(load: () => Promise<DirectParts> = loadFiles): Promise<DirectParts> {
  try {
    return await load();
  } catch {
    const { Pool: whole, Dispatcher: base } = await import('undici');
    return { Pool: whole, request: base.prototype.request };
  }
}

/** Loads what a proxy takes; its agents come with the whole of undici. */
export async function loadProxyParts(): Promise<ProxyParts> {
  const { ProxyAgent: fixed, EnvHttpProxyAgent: fromEnvironment, Dispatcher: base } = await import('undici');
  return { ProxyAgent: fixed, EnvHttpProxyAgent: fromEnvironment, request: base.prototype.request };
}

async function loadFiles(): Promise<DirectParts> {
  const [pool, request] = await Promise.all([
    import('undici/lib/dispatcher/pool.js'),
    import('undici/lib/api/api-request.js'),
  ]);
  return { Pool: pool.default, request: request.default };
}
