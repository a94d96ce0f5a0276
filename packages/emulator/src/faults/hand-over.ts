import type { Clock } from '@endorse/interface';
import type { Delivery } from './faulty-call.ts';

/** How a carrier sends, drops and waits. */
export interface HandOver {
  readonly send: () => void;
  readonly drop: () => void;
  readonly sleep: Clock['sleep'];
  /** Called when a wait begins; returns the signal that ends it because the client has left. */
  readonly untilGone: () => AbortSignal;
}

/** Hands an answer over as its delivery says: at once or late, or not at all. */
export function handOver(delivery: Delivery | undefined, { send, drop, sleep, untilGone }: HandOver): void {
  const act = delivery?.isDropped === true ? drop : send;
  if (delivery === undefined || delivery.delayMs === 0) {
    act();
    return;
  }
  sleep(delivery.delayMs, untilGone()).then(act, () => undefined);
}

/** As much of a body as a delivery lets through. */
export function truncateBody(body: Uint8Array, { truncateTo }: Delivery): Uint8Array {
  if (truncateTo === undefined) return body;
  return body.subarray(0, truncateTo === 'half' ? Math.floor(body.byteLength / 2) : truncateTo);
}
