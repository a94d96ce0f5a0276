import type { Clock, RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import { checkInteger, checkNames, checkTexts } from './arguments.ts';
import type { DiscoveryCodec } from './codec.ts';
import type { EligibilityRules } from './discovered-device.ts';
import { jsonDiscoveryCodec } from './json-codec.ts';
import type { ProbeFilter } from './messages.ts';
import type { NetworkAddress } from './network.ts';
import { defaultDiscoveryPort } from './probe-plan.ts';
import type { BindDatagramSocket } from './sockets.ts';
import { bindSystemSocket, systemNetwork } from './system-sockets.ts';
import type { Endpoint } from './targets.ts';
import { parseTargets } from './targets.ts';

/** Options of {@link discover}. */
export interface DiscoverOptions {
  /** UDP port the devices listen on, 1 to 65,535; default 40,404. */
  readonly port?: number | undefined;
  /** How long to listen, in milliseconds, 1 to 600,000; default 5,000. The run never takes longer. */
  readonly windowMs?: number | undefined;
  /** Longest time a device may wait before it answers, in milliseconds, 0 to 10,000; default 500. */
  readonly maxReplyDelayMs?: number | undefined;
  /** Names (`eth0`) or addresses of interfaces to ask on; default all that are up, without loopback. */
  readonly interfaces?: readonly string[] | undefined;
  /** Asks on loopback too, where simulators are; default false. */
  readonly loopback?: boolean | undefined;
  /** Asks by broadcast; default true. False needs `targets` or `ipv6`. */
  readonly broadcast?: boolean | undefined;
  /** Asks by IPv6 link-local multicast too; default false. */
  readonly ipv6?: boolean | undefined;
  /** Addresses to ask directly: `192.0.2.7`, `192.0.2.7:40500`, `192.0.2.0/28`, `[fe80::1%eth0]:40404`; default none. */
  readonly targets?: readonly string[] | undefined;
  /** Asks only some devices to answer; default all. */
  readonly filter?: ProbeFilter | undefined;
  /** Which devices may be provisioned; the others are found and marked. Default: any. */
  readonly eligibility?: EligibilityRules | undefined;
  /** Serials that should be there: the run ends early when all have answered, others are marked. Default: anything. */
  readonly expectedSerials?: readonly string[] | undefined;
  /** Ends early when so many devices have answered, 1 to 4,096; default never. */
  readonly expectedCount?: number | undefined;
  /** Aborts the run: all sockets are closed at once, and the iterator rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The bytes of the protocol; default the open JSON format. */
  readonly codec?: DiscoveryCodec | undefined;
  /** Time; default the system's. */
  readonly clock?: Clock | undefined;
  /** Randomness of the probe's id and the schedule; default the system's. */
  readonly random?: RandomSource | undefined;
  /** UDP; default the system's. */
  readonly bindSocket?: BindDatagramSocket | undefined;
  /** The interfaces there are; default the system's. */
  readonly network?: (() => readonly NetworkAddress[]) | undefined;
}

/** Options, checked and completed. */
export interface DiscoverSettings {
  readonly port: number;
  readonly windowMs: number;
  readonly maxReplyDelayMs: number;
  readonly interfaces: readonly string[] | undefined;
  readonly loopback: boolean;
  readonly broadcast: boolean;
  readonly ipv6: boolean;
  readonly targets: readonly Endpoint[];
  readonly filter: ProbeFilter | undefined;
  readonly eligibility: EligibilityRules;
  /** In lower case, to how they were given. */
  readonly expectedSerials: ReadonlyMap<string, string> | undefined;
  readonly expectedCount: number;
  readonly signal: AbortSignal | undefined;
  readonly codec: DiscoveryCodec;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly bindSocket: BindDatagramSocket;
  readonly network: () => readonly NetworkAddress[];
}

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkDiscoverOptions(options: DiscoverOptions): DiscoverSettings {
  checkNames(options, optionNames);
  const port = checkInteger('options.port', options.port ?? defaultDiscoveryPort, 1, 65_535);
  const targets = parseTargets(checkTexts('options.targets', options.targets ?? []), port);
  const broadcast = options.broadcast ?? true;
  const ipv6 = options.ipv6 ?? false;
  if (!broadcast && !ipv6 && targets.length === 0) {
    throw new InvalidArgumentError('options.broadcast', 'can only be false with targets or ipv6');
  }
  const { interfaces, expectedSerials } = options;
  const { expectedCount } = options;
  return {
    port,
    windowMs: checkInteger('options.windowMs', options.windowMs ?? 5000, 1, 600_000),
    maxReplyDelayMs: checkInteger('options.maxReplyDelayMs', options.maxReplyDelayMs ?? 500, 0, 10_000),
    interfaces: interfaces === undefined ? undefined : checkTexts('options.interfaces', interfaces),
    loopback: options.loopback ?? false,
    broadcast,
    ipv6,
    targets,
    filter: options.filter,
    eligibility: options.eligibility ?? {},
    expectedSerials:
      expectedSerials === undefined
        ? undefined
        : new Map(
            checkTexts('options.expectedSerials', expectedSerials).map((serial) => [
              serial.toLowerCase(),
              serial,
            ]),
          ),
    expectedCount:
      expectedCount === undefined
        ? Number.POSITIVE_INFINITY
        : checkInteger('options.expectedCount', expectedCount, 1, 4096),
    signal: options.signal,
    codec: options.codec ?? jsonDiscoveryCodec,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    bindSocket: options.bindSocket ?? bindSystemSocket,
    network: options.network ?? systemNetwork,
  };
}

const optionNames: ReadonlySet<string> = new Set<keyof DiscoverOptions>([
  'port',
  'windowMs',
  'maxReplyDelayMs',
  'interfaces',
  'loopback',
  'broadcast',
  'ipv6',
  'targets',
  'filter',
  'eligibility',
  'expectedSerials',
  'expectedCount',
  'signal',
  'codec',
  'clock',
  'random',
  'bindSocket',
  'network',
]);
