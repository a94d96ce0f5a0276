/** The prober: sends the probe on every socket of the plan, and tells what the answers add up to. */
import type { DiscoverOptions, DiscoverSettings } from './discover-options.ts';
import { checkDiscoverOptions } from './discover-options.ts';
import { Collector } from './collector.ts';
import { DiscoveryError } from './discovery-error.ts';
import { EventQueue } from './event-queue.ts';
import type { DiscoveryEvent, DiscoverySummary } from './events.ts';
import type { PlannedSocket } from './probe-plan.ts';
import { planProbes } from './probe-plan.ts';
import { createProbeId, sendTimes } from './schedule.ts';
import type { DatagramSocket } from './sockets.ts';

/** Events of a run, and a way to end it at any time; leaving a `for await` loop ends it too. */
export interface DiscoveryRun extends AsyncIterableIterator<DiscoveryEvent, undefined, undefined> {
  /** Closes all sockets at once; the iterator is done. Harmless when repeated. */
  return(): Promise<IteratorResult<DiscoveryEvent, undefined>>;
  /** The same as {@link DiscoveryRun.return}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Looks for devices on the local network, for `windowMs` or until all expected ones have answered.
 * The last event is `window-closed` with the summary. Nothing is sent before the first event is asked for.
 *
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option. The iterator rejects with
 * `ERR_DISCOVERY_NO_INTERFACE` when there is nothing to ask on, `ERR_DISCOVERY_SOCKET` when no socket could be
 * opened, and with the signal's reason. An interface that fails is an event, and the others go on.
 */
export function discover(options: DiscoverOptions = {}): DiscoveryRun {
  return new Run(checkDiscoverOptions(options));
}

/** Runs {@link discover} to its end and returns the summary; the same errors. */
export async function collectDevices(options: DiscoverOptions = {}): Promise<DiscoverySummary> {
  for await (const event of discover(options)) {
    if (event.event === 'window-closed') return event.summary;
  }
  throw new DiscoveryError('ERR_DISCOVERY_SOCKET', 'the run ended without a summary');
}

class Run implements DiscoveryRun {
  readonly #settings: DiscoverSettings;
  readonly #queue = new EventQueue<DiscoveryEvent>();
  readonly #stop = new AbortController();
  readonly #sockets: { readonly plan: PlannedSocket; readonly socket: DatagramSocket }[] = [];
  readonly #probe: Uint8Array;
  readonly #collector: Collector;
  readonly #network: ReturnType<DiscoverSettings['network']>;
  #isStarted = false;
  #probesSent = 0;
  #isComplete = false;

  constructor(settings: DiscoverSettings) {
    this.#settings = settings;
    const { codec, random, filter, maxReplyDelayMs } = settings;
    const id = createProbeId(random);
    this.#probe = codec.encodeProbe({ id, maxReplyDelayMs, ...(filter === undefined ? {} : { filter }) });
    this.#network = settings.network();
    this.#collector = new Collector({ ...settings, probeId: id, network: this.#network });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<DiscoveryEvent, undefined>> {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#start();
    }
    return this.#queue.next();
  }

  async return(): Promise<IteratorResult<DiscoveryEvent, undefined>> {
    this.#isStarted = true;
    this.#close();
    this.#queue.end();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #start(): void {
    const { signal } = this.#settings;
    const onAbort = (): void => this.#fail(signal?.reason);
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#stop.signal.addEventListener('abort', () => signal?.removeEventListener('abort', onAbort));
    this.#run().catch((error: unknown) => this.#fail(error));
  }

  async #run(): Promise<void> {
    const { clock, windowMs, random } = this.#settings;
    const stopping = this.#stop.signal;
    const startedAt = clock.now();
    await this.#open();
    const closing = clock.sleep(windowMs, stopping).then(() => this.#finish());
    const sending = this.#send(startedAt, sendTimes(random));
    // An ended run rejects both with the reason of the stop, which the consumer has been told in its own way.
    await Promise.all([closing, sending]).catch((error: unknown) => {
      if (!stopping.aborted) throw error;
    });
  }

  async #open(): Promise<void> {
    const plans = planProbes({ ...this.#settings, network: this.#network });
    const errors = await Promise.all(plans.map((plan) => this.#bind(plan)));
    if (this.#sockets.length > 0 || this.#stop.signal.aborted) return;
    throw new DiscoveryError('ERR_DISCOVERY_SOCKET', 'no socket could be opened on any interface', {
      cause: errors.find((error) => error !== undefined),
      remedy: 'Check that this program may use the network, and which interfaces are up.',
    });
  }

  async #bind(plan: PlannedSocket): Promise<unknown> {
    try {
      const socket = await this.#settings.bindSocket(
        plan.binding,
        {
          onDatagram: (datagram, source) => this.#receive(datagram, source),
          onError: (error) => this.#tellFailure(plan, error),
        },
        this.#stop.signal,
      );
      // The run may have ended between the system's answer and ours.
      if (this.#stop.signal.aborted) socket.close();
      else this.#sockets.push({ plan, socket });
      return undefined;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#tellFailure(plan, error);
      return error;
    }
  }

  async #send(startedAt: number, times: readonly number[]): Promise<void> {
    const { clock } = this.#settings;
    for (const atMs of times) {
      await clock.sleep(Math.max(0, startedAt + atMs - clock.now()), this.#stop.signal);
      for (const { plan, socket } of [...this.#sockets]) this.#sendAll(plan, socket);
    }
  }

  #sendAll(plan: PlannedSocket, socket: DatagramSocket): void {
    let isTold = false;
    for (const destination of plan.destinations) {
      this.#probesSent += 1;
      socket.send(this.#probe, destination).catch((error: unknown) => {
        // One telling a socket and round: a cable that is out fails for every address alike.
        if (isTold || this.#stop.signal.aborted) return;
        isTold = true;
        this.#tellFailure(plan, error);
      });
    }
  }

  #receive(datagram: Uint8Array, source: Parameters<Collector['accept']>[1]): void {
    if (this.#stop.signal.aborted || Buffer.compare(datagram, this.#probe) === 0) return;
    for (const event of this.#collector.accept(datagram, source, this.#settings.clock.now())) {
      this.#queue.push(event);
    }
    const { expectedCount, maxReplyDelayMs, clock } = this.#settings;
    const isComplete = this.#collector.hasAllExpected || this.#collector.deviceCount >= expectedCount;
    if (!isComplete || this.#isComplete) return;
    this.#isComplete = true;
    // A second device with a serial that has answered would be missed by stopping at once.
    clock.sleep(maxReplyDelayMs, this.#stop.signal).then(
      () => this.#finish(),
      () => undefined,
    );
  }

  #finish(): void {
    if (this.#stop.signal.aborted) return;
    const summary = this.#collector.summarize(this.#probesSent);
    this.#queue.push({ event: 'window-closed', summary });
    this.#close();
    this.#queue.end();
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#close();
    this.#queue.end({ error });
  }

  #close(): void {
    this.#stop.abort(stopped);
    for (const { socket } of this.#sockets.splice(0)) socket.close();
  }

  #tellFailure({ name }: PlannedSocket, error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    this.#queue.push({ event: 'interface-failed', interfaceName: name, problem });
  }
}

/** Reason of our own stop; never shown to anyone. */
const stopped = new Error('discovery ended');
