/** Events between callbacks of sockets and one consumer; whoever pushes bounds how many there can be. */
export class EventQueue<Event> {
  readonly #events: Event[] = [];
  readonly #waiting: ((result: PromiseLike<IteratorResult<Event, undefined>>) => void)[] = [];
  #end: { readonly error: unknown } | 'done' | undefined;

  /** Adds an event; without effect after the end. */
  push(event: Event): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting(Promise.resolve({ done: false, value: event }));
  }

  /** Ends the queue: what is in it is still given out, unless it ends with an error. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#end !== undefined) return;
    this.#end = failure ?? 'done';
    if (failure !== undefined) this.#events.length = 0;
    for (const waiting of this.#waiting.splice(0)) waiting(this.#ended());
  }

  /** The next event; rejects once with the error the queue ended with, then is done. */
  next(): Promise<IteratorResult<Event, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end !== undefined) return this.#ended();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #ended(): Promise<IteratorResult<Event, undefined>> {
    const end = this.#end;
    this.#end = 'done';
    return typeof end === 'object'
      ? Promise.reject(end.error)
      : Promise.resolve({ done: true, value: undefined });
  }
}
