/**
 * The device's side: answers probes while it is enabled, and is not there at all while it is not.
 *
 * A broadcast only reaches a socket on 0.0.0.0, so that is where it listens; an answer leaves from a socket on the
 * address of the interface that the asker is on, so the asker sees an address it can connect to.
 */
import { LocalProtocolError } from '@endorse/interface';
import { checkInteger } from './arguments.ts';
import { DiscoveryError } from './discovery-error.ts';
import type { DiscoveryProbe } from './messages.ts';
import type { NetworkAddress } from './network.ts';
import { isLinkLocalV6, localSubnetOf } from './network.ts';
import { discoveryMulticastGroup } from './probe-plan.ts';
import type { SilenceReason } from './reply-policy.ts';
import { ReplyPolicy } from './reply-policy.ts';
import type { ResponderOptions, ResponderSettings } from './responder-options.ts';
import { checkResponderOptions, maxWindowMs } from './responder-options.ts';
import type { DatagramSocket } from './sockets.ts';
import type { Endpoint } from './targets.ts';

/** Counters of a responder; each is a whole number from 0. */
export interface ResponderCounters {
  /** Answers sent. */
  readonly answered: number;
  /** Datagrams that were no probe. */
  readonly malformed: number;
  /** Probes that were not answered, by reason. */
  readonly ignored: Readonly<Record<SilenceReason, number>>;
}

/** A device that can be discovered. */
export interface Responder {
  /** UDP port it listens on, 1 to 65,535. */
  readonly port: number;
  /** True while it answers. */
  readonly isEnabled: boolean;
  /** When it closes by itself, in milliseconds since 1970; undefined when it does not. */
  readonly disablesAt: number | undefined;
  readonly counters: ResponderCounters;
  /**
   * Opens the port again, or sets another closing time for one that is open. `disableAfterMs` is 1 to 86,400,000;
   * without it the port stays open. Rejects with `ERR_DISCOVERY_SOCKET`, or `ERR_LOCAL_STATE` after `stop`.
   */
  enable(options?: { readonly disableAfterMs?: number }): Promise<void>;
  /** Closes the port: no probe is answered any more, not even one that came before. */
  disable(): Promise<void>;
  /** Disables it for good. Harmless when repeated. */
  stop(): Promise<void>;
  /** The same as {@link Responder.stop}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts to answer probes for one device.
 *
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option; rejects with `ERR_DISCOVERY_NO_INTERFACE`
 * when there is no address to answer from, and with `ERR_DISCOVERY_SOCKET` when the port cannot be opened.
 */
export async function startResponder(options: ResponderOptions): Promise<Responder> {
  const responder = new UdpResponder(checkResponderOptions(options));
  await responder.enable(
    options.disableAfterMs === undefined ? {} : { disableAfterMs: options.disableAfterMs },
  );
  return responder;
}

interface Answering {
  readonly socket: DatagramSocket;
  /** Subnet whose askers it answers; undefined for IPv6, where the scope decides. */
  readonly subnet: NetworkAddress | undefined;
}

class UdpResponder implements Responder {
  readonly #settings: ResponderSettings;
  readonly #policy: ReplyPolicy;
  readonly #ignored: Record<SilenceReason, number> = {
    'bad-source': 0,
    'off-link': 0,
    filtered: 0,
    repeated: 0,
    'rate-limited': 0,
    unencodable: 0,
  };
  #answered = 0;
  #malformed = 0;
  #port: number;
  #sockets: DatagramSocket[] = [];
  #answering: Answering[] = [];
  #network: readonly NetworkAddress[] = [];
  /** Aborted when the port closes: pending answers and the closing time end with it. */
  #opening: AbortController | undefined;
  #timing: AbortController | undefined;
  #disablesAt: number | undefined;
  #isStopped = false;

  constructor(settings: ResponderSettings) {
    this.#settings = settings;
    this.#policy = new ReplyPolicy(settings.limits, settings.random);
    this.#port = settings.port;
  }

  get port(): number {
    return this.#port;
  }

  get isEnabled(): boolean {
    return this.#opening !== undefined;
  }

  get disablesAt(): number | undefined {
    return this.#disablesAt;
  }

  get counters(): ResponderCounters {
    return { answered: this.#answered, malformed: this.#malformed, ignored: { ...this.#ignored } };
  }

  async enable(options: { readonly disableAfterMs?: number } = {}): Promise<void> {
    const { disableAfterMs } = options;
    if (disableAfterMs !== undefined) checkInteger('options.disableAfterMs', disableAfterMs, 1, maxWindowMs);
    if (this.#isStopped) {
      throw new LocalProtocolError('ERR_LOCAL_STATE', 'the responder was stopped', { state: 'stopped' });
    }
    if (this.#opening === undefined) await this.#open();
    this.#limitTime(disableAfterMs);
  }

  async disable(): Promise<void> {
    this.#opening?.abort(disabled);
    this.#opening = undefined;
    this.#timing?.abort(disabled);
    this.#disablesAt = undefined;
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#answering = [];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.disable();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #open(): Promise<void> {
    const opening = new AbortController();
    this.#opening = opening;
    this.#network = this.#settings.network();
    try {
      await this.#bindAll(opening.signal);
    } catch (cause) {
      await this.disable();
      if (cause instanceof DiscoveryError) throw cause;
      throw new DiscoveryError('ERR_DISCOVERY_SOCKET', `UDP port ${this.#port} cannot be opened`, {
        cause,
        remedy: 'Choose another port, or end the program that holds this one for itself.',
      });
    }
  }

  async #bindAll(signal: AbortSignal): Promise<void> {
    const { ipv6, addresses } = this.#settings;
    const own = this.#network.filter(({ internal, family }) => family === 'ipv4' && !internal);
    const answerFrom = addresses ?? own.map(({ address }) => address);
    const scopes = this.#network.filter(({ family, address }) => family === 'ipv6' && isLinkLocalV6(address));
    const interfaceNames = [...new Set(scopes.map(({ interfaceName }) => interfaceName))];
    if (answerFrom.length === 0 && !(ipv6 && interfaceNames.length > 0)) {
      throw new DiscoveryError('ERR_DISCOVERY_NO_INTERFACE', 'there is no address to answer from', {
        remedy: 'Connect an interface, or name the addresses to answer from.',
      });
    }
    if (answerFrom.length > 0) {
      const listener = await this.#bind('ipv4', '0.0.0.0', signal);
      this.#port = listener.local.port;
    }
    for (const address of answerFrom) {
      const socket = await this.#bind('ipv4', address, signal);
      this.#answering.push({ socket, subnet: localSubnetOf(address, this.#network) });
    }
    if (!ipv6 || interfaceNames.length === 0) return;
    const socket = await this.#bind('ipv6', '::', signal, interfaceNames);
    this.#port = socket.local.port;
    this.#answering.push({ socket, subnet: undefined });
  }

  async #bind(
    family: 'ipv4' | 'ipv6',
    address: string,
    signal: AbortSignal,
    interfaceNames: readonly string[] = [],
  ): Promise<DatagramSocket> {
    const membership =
      family === 'ipv6' ? { membership: { group: discoveryMulticastGroup, interfaceNames } } : {};
    const socket = await this.#settings.bindSocket(
      { family, address, port: this.#port, shareAddress: true, ...membership },
      {
        onDatagram: (datagram, source) => this.#receive(datagram, source, signal),
        onError: (error) =>
          this.#settings.logger.log('warn', 'socket-failed', { address, problem: error.message }),
      },
      signal,
    );
    this.#sockets.push(socket);
    return socket;
  }

  #limitTime(disableAfterMs: number | undefined): void {
    this.#timing?.abort(disabled);
    this.#timing = undefined;
    this.#disablesAt = undefined;
    if (disableAfterMs === undefined || this.#opening === undefined) return;
    const { clock } = this.#settings;
    this.#timing = new AbortController();
    this.#disablesAt = clock.now() + disableAfterMs;
    clock.sleep(disableAfterMs, this.#timing.signal).then(
      () => this.disable(),
      () => undefined,
    );
  }

  #receive(datagram: Uint8Array, source: Endpoint, signal: AbortSignal): void {
    const { codec, clock, device } = this.#settings;
    if (datagram.byteLength > codec.maxDatagramBytes) {
      this.#malformed += 1;
      return;
    }
    let probe: DiscoveryProbe;
    try {
      probe = codec.decodeProbe(datagram);
    } catch {
      this.#malformed += 1;
      return;
    }
    const answering = this.#answeringFor(source.address);
    if (answering === undefined) {
      this.#ignore('off-link', source);
      return;
    }
    const announcement = device();
    const decision = this.#policy.decide(probe, {
      source,
      ownPort: this.#port,
      device: announcement,
      nowMs: clock.now(),
    });
    if ('silence' in decision) {
      this.#ignore(decision.silence, source);
      return;
    }
    let reply: Uint8Array;
    try {
      reply = codec.encodeReply(
        { id: probe.id, device: announcement },
        { maxBytes: Math.min(datagram.byteLength, codec.maxDatagramBytes) },
      );
    } catch {
      this.#ignore('unencodable', source);
      return;
    }
    clock
      .sleep(decision.delayMs, signal)
      .then(() => answering.socket.send(reply, source))
      .then(() => {
        this.#answered += 1;
        this.#settings.logger.log('debug', 'probe-answered', { address: source.address });
      })
      .catch((error: unknown) => {
        if (signal.aborted) return;
        const problem = error instanceof Error ? error.message : String(error);
        this.#settings.logger.log('warn', 'socket-failed', { address: source.address, problem });
      });
  }

  /** The socket on the asker's link; none for an asker that is not on one of ours. */
  #answeringFor(address: string): Answering | undefined {
    if (isLinkLocalV6(address)) return this.#answering.find(({ subnet }) => subnet === undefined);
    const subnet = localSubnetOf(address, this.#network);
    if (subnet !== undefined) return this.#answering.find(({ subnet: own }) => own === subnet);
    // The way back is the router's business; which of our addresses it leaves from is not.
    return this.#settings.answerOffLink ? this.#answering[0] : undefined;
  }

  #ignore(reason: SilenceReason, source: Endpoint): void {
    this.#ignored[reason] += 1;
    this.#settings.logger.log('debug', 'probe-ignored', { address: source.address, reason });
  }
}

/** Reason of our own closing; never shown to anyone. */
const disabled = new Error('the responder was disabled');
