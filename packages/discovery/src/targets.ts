import { isIP, isIPv4 } from 'node:net';
import { InvalidArgumentError } from '@endorse/interface';
import { addressesOfRange, splitScope } from './network.ts';

/** Where a datagram goes, or came from. */
export interface Endpoint {
  /** IP address; IPv6 link-local addresses with their scope, `fe80::1%eth0`. */
  readonly address: string;
  /** UDP port, 1 to 65,535. */
  readonly port: number;
}

/** A range may stand for this many addresses, all targets of a run together for as many: what a run can ask in its window. */
export const maxTargets = 1024;

/**
 * Reads explicit targets: `192.0.2.7`, `192.0.2.7:40500`, `192.0.2.0/28`, `fe80::1%eth0`, `[2001:db8::1]:40500`.
 * They reach devices that a broadcast cannot: behind a router, or from inside a container.
 * Throws `ERR_INVALID_ARGUMENT`, or `ERR_OUT_OF_RANGE` for more than 1,024 addresses.
 */
export function parseTargets(texts: readonly string[], defaultPort: number): readonly Endpoint[] {
  const targets = new Map<string, Endpoint>();
  texts.forEach((text, index) => {
    for (const target of parseTarget(text, `options.targets[${index}]`, defaultPort)) {
      targets.set(`${target.address} ${target.port}`, target);
      if (targets.size > maxTargets) {
        throw new InvalidArgumentError(
          'options.targets',
          `must be at most ${maxTargets} addresses together`,
          'ERR_OUT_OF_RANGE',
        );
      }
    }
  });
  return [...targets.values()];
}

function* parseTarget(text: string, argument: string, defaultPort: number): Generator<Endpoint> {
  const range = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  if (range !== null && isIPv4(range[1] ?? '') && Number(range[2]) <= 32) {
    for (const address of addressesOfRange(range[1] ?? '', Number(range[2]))) {
      yield { address, port: defaultPort };
    }
    return;
  }
  const withPort = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(text);
  const address = withPort === null ? text : (withPort[1] ?? withPort[2] ?? '');
  const port = withPort === null ? defaultPort : Number(withPort[3]);
  if (isIP(splitScope(address).bare) === 0 || port < 1 || port > 65_535) {
    throw new InvalidArgumentError(
      argument,
      'must be an IP address, address:port, [IPv6]:port or an IPv4 range such as 192.0.2.0/28',
    );
  }
  yield { address, port };
}
