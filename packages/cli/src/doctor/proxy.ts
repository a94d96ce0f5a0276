import { UsageError } from '../command/usage-error.ts';

/** The proxy of the environment, as far as the doctor needs it. */
export interface EnvironmentProxy {
  /** `http:` or `https:`. */
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  /** Value of `Proxy-Authorization`; never printed. */
  readonly authorization: string | undefined;
  /** Where it comes from, for example `HTTPS_PROXY`. */
  readonly variable: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the HTTP transport uses for a host, by the same rule: `https_proxy` before `HTTPS_PROXY`,
 * except for what `no_proxy` or `NO_PROXY` names. Throws `UsageError` without repeating the address.
 */
export function findProxy(env: Environment, host: string, port: number): EnvironmentProxy | undefined {
  const variable = env['https_proxy'] ? 'https_proxy' : 'HTTPS_PROXY';
  const text = env[variable];
  if (text === undefined || text === '' || isExcepted(env, host, port)) return undefined;
  const url = parse(text.includes('://') ? text : `http://${text}`);
  if (url === undefined) {
    throw new UsageError(`${variable} is no http:// or https:// address`, {
      remedy: `Set ${variable} to http://host:port.`,
    });
  }
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    protocol: url.protocol === 'https:' ? 'https:' : 'http:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    authorization: credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`,
    variable,
  };
}

function parse(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** `*`, a host, `.suffix` or `*.suffix`, each optionally with a port. */
function isExcepted(env: Environment, host: string, port: number): boolean {
  const entries = (env['no_proxy'] || env['NO_PROXY'] || '').toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => {
    const match = /^(?:\[([0-9a-f:.]+)\]|([^:]+)|([0-9a-f:.]+))(?::(\d+))?$/.exec(entry);
    if (match === null || (match[4] !== undefined && Number(match[4]) !== port)) return false;
    const name = (match[1] ?? match[2] ?? match[3] ?? '').replace(/^\*?\./, '');
    return name === '*' || host === name || (!/^[\d.]+$|:/.test(host) && host.endsWith(`.${name}`));
  });
}
