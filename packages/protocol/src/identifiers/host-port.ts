import { InvalidArgumentError } from '@endorse/interface';

/** A host and a port. */
export interface HostPort {
  /** Host name or IP address; an IPv6 address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** Options of {@link parseHostPort}. */
export interface HostPortOptions {
  /** Port when the text has none; default 443. */
  readonly defaultPort?: number;
  /** Name of the argument in errors; default `host`. */
  readonly argument?: string;
}

/**
 * Takes `host`, `host:port`, `[ipv6]`, `[ipv6]:port` or a bare IPv6 address apart.
 *
 * Throws `ERR_INVALID_ARGUMENT` for a scheme, a path, user information, spaces or
 * anything that is no host name or address, and `ERR_OUT_OF_RANGE` for the port.
 */
export function parseHostPort(text: string, options: HostPortOptions = {}): HostPort {
  const { argument = 'host', defaultPort = 443 } = options;
  if (typeof text !== 'string') throw new InvalidArgumentError(argument, 'must be a string');
  if (text === '') throw new InvalidArgumentError(argument, 'must not be empty');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new InvalidArgumentError(
      argument,
      'must be a host without a scheme, such as example.net or localhost:8443',
    );
  }
  if (isIpv6Address(text)) return { host: text.toLowerCase(), port: checkPort(defaultPort, argument) };
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d{1,6}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const valid = match?.[1] === undefined ? isHostName(host) : isIpv6Address(host);
  if (!valid) {
    throw new InvalidArgumentError(argument, 'must be a host name or an IP address, optionally with a port');
  }
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return { host: host.toLowerCase(), port: checkPort(port, argument) };
}

/** Puts host and port together; brackets IPv6 and leaves out a port equal to `defaultPort`. Throws as {@link parseHostPort}. */
export function formatHostPort(hostPort: HostPort, options: { readonly defaultPort?: number } = {}): string {
  const bare = isIpv6Address(hostPort.host) ? `[${hostPort.host}]` : hostPort.host;
  const { host, port } = parseHostPort(bare, { argument: 'hostPort.host', defaultPort: hostPort.port });
  const printed = isIpv6Address(host) ? `[${host}]` : host;
  return port === options.defaultPort ? printed : `${printed}:${port}`;
}

/** True for an IPv6 address without brackets and without a zone. */
export function isIpv6Address(text: string): boolean {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const counts = halves.map((half, index) => countGroups(half, index === halves.length - 1));
  if (counts.some((count) => count === undefined)) return false;
  const total = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return halves.length === 2 ? total <= 7 : total === 8;
}

/** Counts the 16-bit groups of one side of `::`; undefined when one is malformed. */
function countGroups(half: string, isLast: boolean): number | undefined {
  if (half === '') return 0;
  const groups = half.split(':');
  let count = 0;
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) count += 1;
    else if (isLast && index === groups.length - 1 && isIpv4Address(group)) count += 2;
    else return undefined;
  }
  return count;
}

function isIpv4Address(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isHostName(text: string): boolean {
  // All digits and dots can only mean an IPv4 address; resolvers read 1.2.3 or 0177.1 in surprising ways.
  if (/^[\d.]+$/.test(text)) return isIpv4Address(text);
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return (
    name.length >= 1 &&
    name.length <= 253 &&
    name.split('.').every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))
  );
}

function checkPort(port: number, argument: string): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError(argument, 'must have a port from 1 to 65535', 'ERR_OUT_OF_RANGE');
}
