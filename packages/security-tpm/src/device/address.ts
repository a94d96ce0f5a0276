/**
 * TPM addresses, as the command line and the harness write them:
 *
 *     swtpm://host:port          mssim://host:port[?platform-port=N]
 *     swtpm+unix:///path         device:[///dev/tpmrm0]         tbs:
 */
import { InvalidArgumentError } from '@endorse/interface';

/** Where a TPM is. */
export type TpmAddress =
  | { readonly kind: 'swtpm'; readonly host: string; readonly port: number }
  | { readonly kind: 'swtpm-unix'; readonly path: string }
  | { readonly kind: 'mssim'; readonly host: string; readonly port: number; readonly platformPort: number }
  | { readonly kind: 'linux'; readonly path?: string | undefined }
  | { readonly kind: 'tbs' };

/** The port of both simulators unless the address says otherwise. */
export const defaultSimulatorPort = 2321;

/** Longest path of a Unix socket on Linux, the terminating zero left out; a longer one would be cut silently. */
const maxSocketPathBytes = 107;

/** Reads a TPM address. Throws `ERR_INVALID_ARGUMENT` with the forms there are when it is none. */
export function parseTpmAddress(text: string): TpmAddress {
  if (typeof text !== 'string') throw invalid('must be a string');
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(0, colon)).toLowerCase();
  switch (scheme) {
    case 'swtpm': {
      const { host, port } = parseEndpoint(text, []);
      return { kind: 'swtpm', host, port };
    }
    case 'swtpm+unix': {
      const path = parsePath(text);
      if (path === undefined) throw invalid('needs an absolute path: swtpm+unix:///path');
      if (Buffer.byteLength(path) > maxSocketPathBytes) {
        throw invalid(`has a socket path over ${maxSocketPathBytes} bytes; use a shorter directory`);
      }
      return { kind: 'swtpm-unix', path };
    }
    case 'mssim': {
      const { host, port, query } = parseEndpoint(text, ['platform-port']);
      const platform = query.get('platform-port');
      return { kind: 'mssim', host, port, platformPort: platform === null ? port + 1 : parsePort(platform) };
    }
    case 'device':
      return { kind: 'linux', path: parsePath(text) };
    case 'tbs':
      if (!/^tbs:(\/\/)?$/i.test(text)) throw invalid('takes nothing after tbs:');
      return { kind: 'tbs' };
    default:
      throw invalid(`has an unknown scheme`);
  }
}

/** The text {@link parseTpmAddress} reads back as the same address. */
export function formatTpmAddress(address: TpmAddress): string {
  switch (address.kind) {
    case 'swtpm':
      return `swtpm://${formatEndpoint(address)}`;
    case 'swtpm-unix':
      return `swtpm+unix://${encodePath(address.path)}`;
    case 'mssim': {
      const suffix =
        address.platformPort === address.port + 1 ? '' : `?platform-port=${address.platformPort}`;
      return `mssim://${formatEndpoint(address)}${suffix}`;
    }
    case 'linux':
      return address.path === undefined ? 'device:' : `device://${encodePath(address.path)}`;
    case 'tbs':
      return 'tbs:';
    default:
      return unreachable(address);
  }
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

function parseEndpoint(
  text: string,
  parameters: readonly string[],
): Endpoint & { readonly query: URLSearchParams } {
  const url = parseUrl(text);
  if (url.hostname === '') throw invalid('needs a host: swtpm://host:port');
  if (url.username !== '' || url.password !== '' || url.hash !== '' || !['', '/'].includes(url.pathname)) {
    throw invalid('may hold a host and a port only');
  }
  for (const name of url.searchParams.keys()) {
    if (!parameters.includes(name)) throw invalid(`has an unknown parameter ${JSON.stringify(name)}`);
  }
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === '' ? defaultSimulatorPort : parsePort(url.port);
  return { host, port, query: url.searchParams };
}

function parsePath(text: string): string | undefined {
  const rest = text.slice(text.indexOf(':') + 1);
  if (rest === '' || rest === '//') return undefined;
  if (!rest.startsWith('///')) throw invalid('needs an absolute path after three slashes');
  let path: string;
  try {
    path = decodeURIComponent(rest.slice(2));
  } catch {
    throw invalid('has a broken percent escape');
  }
  if (path.includes('\0')) throw invalid('has a zero byte in its path');
  return path;
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalid('is not a URL with a host and a port from 1 to 65535');
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw invalid('needs ports from 1 to 65535');
  return port;
}

function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

function invalid(problem: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'tpm',
    `${problem} (known forms: swtpm://host:port, swtpm+unix:///path, mssim://host:port, device:///dev/tpmrm0, tbs:)`,
  );
}

function unreachable(address: never): never {
  throw invalid(`of unknown kind ${JSON.stringify(address)}`);
}
