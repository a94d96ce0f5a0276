import { createHash } from 'node:crypto';
import type { LinkedHub } from './linked-hub.ts';

/**
 * Picks a hub by the registration id alone, in proportion to the weights: weighted rendezvous hashing. A hub that is
 * added or removed moves only its own share of the devices, and one whose weight changes only the difference.
 *
 * The service's own function is not published; this one has its properties. Undefined for no hub.
 */
export function pickHashed<Hub extends LinkedHub>(
  registrationId: string,
  hubs: readonly Hub[],
): Hub | undefined {
  let best: { readonly hub: Hub; readonly score: number } | undefined;
  for (const hub of hubs) {
    // -w / ln(u) with u uniform in (0, 1): the largest of them is hub i's with probability w_i / Σw.
    const score = -(hub.allocationWeight ?? 1) / Math.log(uniform(registrationId, hub.name));
    if (best === undefined || score > best.score) best = { hub, score };
  }
  return best?.hub;
}

function uniform(registrationId: string, hubName: string): number {
  const digest = createHash('sha256')
    .update(`${registrationId.toLowerCase()}\0${hubName.toLowerCase()}`)
    .digest();
  // 48 bits and a half: exact in a double, never 0 and never 1.
  return (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
}
