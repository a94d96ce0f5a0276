/** What one client has subscribed to, and which of its messages it has not acknowledged. */
export class Subscriptions {
  readonly #granted: Map<string, 0 | 1> = new Map();
  readonly #inFlight: Set<number> = new Set();
  readonly #maxInFlight: number;
  #lastMessageId = 0;

  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  /** Subscribes, or changes the QoS. */
  add(filter: string, qos: 0 | 1): void {
    this.#granted.set(filter, qos);
  }

  /** True when there was a subscription. */
  remove(filter: string): boolean {
    return this.#granted.delete(filter);
  }

  /** The QoS that was granted; undefined without a subscription. */
  qosOf(filter: string): 0 | 1 | undefined {
    return this.#granted.get(filter);
  }

  /** An identifier for a message at QoS 1, which is then in flight; undefined when too many are. */
  nextMessageId(): number | undefined {
    if (this.#inFlight.size >= this.#maxInFlight) return undefined;
    do this.#lastMessageId = (this.#lastMessageId % 65_535) + 1;
    while (this.#inFlight.has(this.#lastMessageId));
    this.#inFlight.add(this.#lastMessageId);
    return this.#lastMessageId;
  }

  /** The client has a message; an unknown identifier is ignored. */
  acknowledge(messageId: number): void {
    this.#inFlight.delete(messageId);
  }
}
