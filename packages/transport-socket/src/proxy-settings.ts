import { InvalidArgumentError, Secret } from '@endorse/interface';

/** Where a proxy listens and what it asks for. */
export interface ProxySettings {
  /** How the proxy itself is spoken to. */
  readonly protocol: 'http:' | 'https:';
  /** Without brackets for IPv6. */
  readonly host: string;
  /** 1 to 65535; 80 or 443 where the address named none. */
  readonly port: number;
  /** Value of `Proxy-Authorization`; absent without credentials. */
  readonly authorization: Secret | undefined;
}

/** Decides which proxy a target is reached through; undefined for none. */
export type ProxyRule = (host: string, port: number) => ProxySettings | undefined;

/** No proxy for anybody. */
export const noProxy: ProxyRule = () => undefined;

/** The same proxy for every target. Throws `ERR_INVALID_ARGUMENT`; no message repeats the address, which may hold a password. */
export function fixedProxy(argument: string, proxyUrl: string | Secret): ProxyRule {
  const text = typeof proxyUrl === 'string' ? proxyUrl : proxyUrl?.revealText?.();
  if (typeof text !== 'string') throw new InvalidArgumentError(argument, 'must be a string or a Secret');
  const proxy = parseProxyUrl(argument, text);
  return () => proxy;
}

/**
 * The proxy of `https_proxy` or `HTTPS_PROXY`, except for what `no_proxy` or `NO_PROXY` names. As in curl the
 * lower-case name wins; `http_proxy` is not looked at because every connection is TLS. This is the rule behind the
 * option of that name. Throws `ERR_INVALID_ARGUMENT` without repeating the address.
 */
export function proxyFromEnvironment(environment: Readonly<Record<string, string | undefined>>): ProxyRule {
  const name = environment['https_proxy'] ? 'https_proxy' : 'HTTPS_PROXY';
  const proxyUrl = environment[name];
  if (proxyUrl === undefined || proxyUrl === '') return noProxy;
  // "proxy:3128" is how many systems write it, and "proxy:" would parse as a scheme.
  const proxy = parseProxyUrl(name, proxyUrl.includes('://') ? proxyUrl : `http://${proxyUrl}`);
  const exceptions = (environment['no_proxy'] || environment['NO_PROXY'] || '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
  return (host, port) => (exceptions.some((entry) => covers(entry, host, port)) ? undefined : proxy);
}

/** True when an entry of `NO_PROXY` names the target: `*`, a host, `.suffix` or `*.suffix`, each optionally with a port. */
function covers(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true;
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:]+)|([0-9a-f:.]+))(?::(\d+))?$/.exec(entry);
  if (match === null) return false;
  if (match[4] !== undefined && Number(match[4]) !== port) return false;
  const name = match[1] ?? match[2] ?? match[3] ?? '';
  const target = host.toLowerCase();
  const suffix = name.replace(/^\*?\./, '');
  return target === suffix || (!/^[\d.]+$|:/.test(target) && target.endsWith(`.${suffix}`));
}

function parseProxyUrl(argument: string, text: string): ProxySettings {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The parser's error carries the whole address, so it is not kept as a cause.
    throw new InvalidArgumentError(argument, 'must be an http:// or https:// address');
  }
  const { protocol, username, password, hostname } = url;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new InvalidArgumentError(argument, 'must be an http:// or https:// address');
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError(argument, 'must have no path, query or fragment');
  }
  return Object.freeze({
    protocol,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port),
    authorization: username === '' && password === '' ? undefined : basic(argument, username, password),
  });
}

function basic(argument: string, username: string, password: string): Secret {
  let credentials: string;
  try {
    credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  } catch {
    throw new InvalidArgumentError(argument, 'has credentials that are not percent-encoded UTF-8');
  }
  return Secret.fromText(`Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`);
}
