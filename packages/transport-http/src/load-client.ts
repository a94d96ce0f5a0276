import type { Client } from 'undici';

/**
 * Loads undici's HTTP/1.1 client, at the first request of a process.
 *
 * Only the file of the client: the whole of undici, with `fetch` and its caches, costs a
 * starting device about three times as much time and memory. Should a later undici move or
 * hide that file, the index does as well.
 */
export async function loadClient(
  load: () => Promise<{ readonly default: typeof Client }> = () => import('undici/lib/dispatcher/client.js'),
): Promise<typeof Client> {
  try {
    return (await load()).default;
  } catch {
    return (await import('undici')).Client;
  }
}
