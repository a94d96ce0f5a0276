import { isIPv4, isIPv6 } from 'node:net';
import { InvalidArgumentError } from '@endorse/interface';
import type { ServerName } from './certificate.ts';

/** Names every emulator certificate holds. */
export const loopbackNames: readonly string[] = Object.freeze(['localhost', '127.0.0.1', '::1']);

/**
 * Turns host names and addresses into certificate names, the loopback ones first, without repetition.
 * Throws `ERR_INVALID_ARGUMENT` for what is neither a host name (`*.` allowed in front) nor an IP address.
 */
export function toServerNames(hostnames: readonly string[]): readonly ServerName[] {
  const names = [...loopbackNames, ...hostnames.map((name) => normalizeHostname(name))];
  return [...new Set(names)].map((name) => {
    if (isIPv4(name)) return { kind: 'address', bytes: Uint8Array.from(name.split('.').map(Number)) };
    if (isIPv6(name)) return { kind: 'address', bytes: ipv6Bytes(name) };
    return { kind: 'dns', name };
  });
}

/** Lower-cases a host name, takes brackets off an IPv6 address. Throws as {@link toServerNames}. */
export function normalizeHostname(text: string, argument = 'hostnames'): string {
  const name = typeof text === 'string' ? text.toLowerCase().replace(/^\[(.*)\]$/, '$1') : '';
  // A zone (`fe80::1%eth0`) means something on one machine only and has no place in a certificate.
  const valid = isIPv4(name) || (isIPv6(name) && !name.includes('%')) || isHostPattern(name);
  if (!valid) {
    throw new InvalidArgumentError(
      argument,
      'must be host names or IP addresses, without a scheme and a port',
    );
  }
  return name;
}

function isHostPattern(name: string): boolean {
  const labels = name.replace(/^\*\./, '').split('.');
  // A last label of digits would be read as an address.
  return (
    name.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

function ipv6Bytes(address: string): Uint8Array {
  // The URL parser spells every IPv6 address, also one with a dotted tail, as groups of hex digits.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Uint8Array.from(
    [...left, ...middle, ...right].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}
