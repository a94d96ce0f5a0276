import { isEndorseError } from '@endorse/interface';
import type { ProxySettings } from '@endorse/transport-socket';
import { UsageError } from '../command/usage-error.ts';

/** The proxy of the environment, and the variable that named it. */
export interface EnvironmentProxy extends ProxySettings {
  /** Where it comes from, for example `HTTPS_PROXY`. */
  readonly variable: string;
}

/** The proxy that the transports use for a host, by their own rule. Throws `UsageError` without repeating the address. */
export async function findProxy(
  env: Readonly<Record<string, string | undefined>>,
  host: string,
  port: number,
): Promise<EnvironmentProxy | undefined> {
  const { proxyFromEnvironment } = await import('@endorse/transport-socket');
  const variable = env['https_proxy'] ? 'https_proxy' : 'HTTPS_PROXY';
  try {
    const proxy = proxyFromEnvironment(env)(host, port);
    return proxy === undefined ? undefined : { ...proxy, variable };
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    throw new UsageError(
      `${variable} is no http:// or https:// address to tunnel through: ${error.message}`,
      {
        remedy: `Set ${variable} to http://host:port.`,
      },
    );
  }
}
