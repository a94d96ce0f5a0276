import type { Clock, Logger, RandomSource } from '@endorse/interface';
import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import { checkInteger, checkNames, checkTexts } from './arguments.ts';
import type { DiscoveryCodec } from './codec.ts';
import { findAnnouncementProblem, jsonDiscoveryCodec } from './json-codec.ts';
import type { DeviceAnnouncement } from './messages.ts';
import type { NetworkAddress } from './network.ts';
import { defaultDiscoveryPort } from './probe-plan.ts';
import type { ReplyLimits } from './reply-policy.ts';
import type { BindDatagramSocket } from './sockets.ts';
import { bindSystemSocket, systemNetwork } from './system-sockets.ts';

/** Options of {@link startResponder}. */
export interface ResponderOptions {
  /** What to say; a function is asked for every answer, so that state can change. */
  readonly device: DeviceAnnouncement | (() => DeviceAnnouncement);
  /** UDP port, 0 to 65,535; 0 lets the system choose. Default 40,404. */
  readonly port?: number | undefined;
  /** Local IPv4 addresses to answer from; default those of all interfaces that are up, without loopback. */
  readonly addresses?: readonly string[] | undefined;
  /** Listens to the IPv6 multicast group too, on every interface with a link-local address; default false. */
  readonly ipv6?: boolean | undefined;
  /**
   * Answers askers beyond its own links, too, which a router lets through; default false. The limits hold for them as well.
   */
  readonly answerOffLink?: boolean | undefined;
  /** Closes after so many milliseconds, 1 to 86,400,000; default never. */
  readonly disableAfterMs?: number | undefined;
  /** Answers a second to everybody, 1 to 100,000; default 50. */
  readonly repliesPerSecond?: number | undefined;
  /** Answers a second to one address, 1 to 100,000; default 10. */
  readonly repliesPerSourcePerSecond?: number | undefined;
  /** Longest time to wait before an answer, whatever the probe allows, in milliseconds, 0 to 10,000; default 1,000. */
  readonly maxReplyDelayMs?: number | undefined;
  /** The bytes of the protocol; default the open JSON format. */
  readonly codec?: DiscoveryCodec | undefined;
  /** Receives `probe-answered` and `probe-ignored` at level `debug`, `socket-failed` at `warn`; default none. */
  readonly logger?: Logger | undefined;
  /** Time; default the system's. */
  readonly clock?: Clock | undefined;
  /** Randomness of the reply delay; default the system's. */
  readonly random?: RandomSource | undefined;
  /** UDP; default the system's. */
  readonly bindSocket?: BindDatagramSocket | undefined;
  /** The interfaces there are, read whenever the responder is enabled; default the system's. */
  readonly network?: (() => readonly NetworkAddress[]) | undefined;
}

/** Options, checked and completed. */
export interface ResponderSettings {
  readonly device: () => DeviceAnnouncement;
  readonly port: number;
  readonly addresses: readonly string[] | undefined;
  readonly ipv6: boolean;
  readonly answerOffLink: boolean;
  readonly disableAfterMs: number | undefined;
  readonly limits: ReplyLimits;
  readonly codec: DiscoveryCodec;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly bindSocket: BindDatagramSocket;
  readonly network: () => readonly NetworkAddress[];
}

/** The longest time a responder can be told to stay open: a day. */
export const maxWindowMs = 86_400_000;

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkResponderOptions(options: ResponderOptions): ResponderSettings {
  checkNames(options, optionNames);
  const { device, disableAfterMs, addresses } = options;
  const announce = typeof device === 'function' ? device : () => device;
  const problem = findAnnouncementProblem(announce());
  if (problem !== undefined)
    throw new InvalidArgumentError('options.device', `cannot be announced: ${problem}`);
  const rate = (name: 'repliesPerSecond' | 'repliesPerSourcePerSecond', fallback: number): number =>
    checkInteger(`options.${name}`, options[name] ?? fallback, 1, 100_000);
  return {
    device: announce,
    port: checkInteger('options.port', options.port ?? defaultDiscoveryPort, 0, 65_535),
    addresses: addresses === undefined ? undefined : checkTexts('options.addresses', addresses),
    ipv6: options.ipv6 ?? false,
    answerOffLink: options.answerOffLink ?? false,
    disableAfterMs:
      disableAfterMs === undefined
        ? undefined
        : checkInteger('options.disableAfterMs', disableAfterMs, 1, maxWindowMs),
    limits: {
      repliesPerSecond: rate('repliesPerSecond', 50),
      repliesPerSourcePerSecond: rate('repliesPerSourcePerSecond', 10),
      maxReplyDelayMs: checkInteger('options.maxReplyDelayMs', options.maxReplyDelayMs ?? 1000, 0, 10_000),
    },
    codec: options.codec ?? jsonDiscoveryCodec,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    bindSocket: options.bindSocket ?? bindSystemSocket,
    network: options.network ?? systemNetwork,
  };
}

const optionNames: ReadonlySet<string> = new Set<keyof ResponderOptions>([
  'device',
  'port',
  'addresses',
  'ipv6',
  'answerOffLink',
  'disableAfterMs',
  'repliesPerSecond',
  'repliesPerSourcePerSecond',
  'maxReplyDelayMs',
  'codec',
  'logger',
  'clock',
  'random',
  'bindSocket',
  'network',
]);
