/**
 * Decides which probes a responder answers, and when. Pure, so that limits are tested without a network.
 *
 * - One id of one source is answered at most four times, and not twice within 100 ms: enough for the repeats
 *   of a prober, useless for a flood.
 * - Answers a second are limited, in total and a source. What is above stays unanswered; a prober asks again.
 * - Source port 0, and our own port (two responders that answer each other for ever), are never answered.
 */
import type { RandomSource } from '@endorse/interface';
import type { DeviceAnnouncement, DiscoveryProbe } from './messages.ts';
import { matchesFilter } from './messages.ts';
import { uniform } from './schedule.ts';
import type { Endpoint } from './targets.ts';

/** Why a probe is not answered. */
export type SilenceReason =
  | 'bad-source'
  | 'off-link'
  | 'filtered'
  | 'repeated'
  | 'rate-limited'
  | 'unencodable';

/** Limits of a responder. */
export interface ReplyLimits {
  /** Answers a second to everybody, 1 to 100,000. */
  readonly repliesPerSecond: number;
  /** Answers a second to one address, 1 to 100,000. */
  readonly repliesPerSourcePerSecond: number;
  /** The longest this device waits before it answers, whatever the probe allows, in milliseconds. */
  readonly maxReplyDelayMs: number;
}

const maxRepliesPerId = 4;
const leastPauseMs = 100;
/** Probes remembered at a time; the oldest is forgotten first. */
const maxRemembered = 1024;

interface Answered {
  count: number;
  lastAt: number;
}

/** The memory of one responder. */
export class ReplyPolicy {
  readonly #limits: ReplyLimits;
  readonly #random: RandomSource;
  readonly #answered = new Map<string, Answered>();
  readonly #bySource = new Map<string, number>();
  #secondBeganAt = Number.NEGATIVE_INFINITY;
  #inThisSecond = 0;

  constructor(limits: ReplyLimits, random: RandomSource) {
    this.#limits = limits;
    this.#random = random;
  }

  /** How long to wait before answering, in milliseconds; or why not to. */
  decide(
    probe: DiscoveryProbe,
    context: {
      readonly source: Endpoint;
      readonly ownPort: number;
      readonly device: DeviceAnnouncement;
      readonly nowMs: number;
    },
  ): { readonly delayMs: number } | { readonly silence: SilenceReason } {
    const { source, ownPort, device, nowMs } = context;
    if (source.port === 0 || source.port === ownPort) return { silence: 'bad-source' };
    if (!matchesFilter(device, probe.filter)) return { silence: 'filtered' };
    if (!this.#mayAnswer(`${source.address} ${source.port} ${probe.id}`, nowMs))
      return { silence: 'repeated' };
    if (!this.#hasBudget(source.address, nowMs)) return { silence: 'rate-limited' };
    this.#remember(`${source.address} ${source.port} ${probe.id}`, source.address, nowMs);
    const within = Math.min(probe.maxReplyDelayMs, this.#limits.maxReplyDelayMs);
    return { delayMs: Math.floor(uniform(this.#random) * (within + 1)) };
  }

  #mayAnswer(question: string, nowMs: number): boolean {
    const answered = this.#answered.get(question);
    return (
      answered === undefined || (answered.count < maxRepliesPerId && nowMs - answered.lastAt >= leastPauseMs)
    );
  }

  #hasBudget(address: string, nowMs: number): boolean {
    if (nowMs - this.#secondBeganAt >= 1000 || nowMs < this.#secondBeganAt) {
      this.#secondBeganAt = nowMs;
      this.#inThisSecond = 0;
      this.#bySource.clear();
    }
    return (
      this.#inThisSecond < this.#limits.repliesPerSecond &&
      (this.#bySource.get(address) ?? 0) < this.#limits.repliesPerSourcePerSecond
    );
  }

  #remember(question: string, address: string, nowMs: number): void {
    this.#inThisSecond += 1;
    this.#bySource.set(address, (this.#bySource.get(address) ?? 0) + 1);
    const answered = this.#answered.get(question) ?? { count: 0, lastAt: 0 };
    this.#answered.delete(question);
    this.#answered.set(question, { count: answered.count + 1, lastAt: nowMs });
    const [oldest] = this.#answered.keys();
    if (this.#answered.size > maxRemembered && oldest !== undefined) this.#answered.delete(oldest);
  }
}
