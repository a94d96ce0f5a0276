/** A place in a collection; `value` is undefined once its record is gone. */
export interface Slot {
  readonly key: string;
  readonly position: number;
  readonly group: string | undefined;
  value: string | undefined;
}

/**
 * Slots in the order of their positions. Appending, removing and finding where a page continues do not depend on how
 * many there are: removed slots stay as holes until they are the larger part, and are then dropped at once.
 */
export class SlotList {
  #slots: Slot[] = [];
  #holes = 0;

  /** Adds a slot whose position is above all others. */
  push(slot: Slot): void {
    this.#slots.push(slot);
  }

  /** To be told after a slot of this list lost its value. */
  noteRemoval(): void {
    this.#holes += 1;
    if (this.#holes < minHoles || this.#holes * 2 < this.#slots.length) return;
    // A new array, so that a listing that is under way goes on over the one it began with.
    this.#slots = this.#slots.filter(({ value }) => value !== undefined);
    this.#holes = 0;
  }

  /** Slots with a value above a position. Changes meanwhile may or may not be seen. */
  *after(position: number): Generator<Slot & { readonly value: string }> {
    const slots = this.#slots;
    for (let index = findFirstAbove(slots, position); index < slots.length; index += 1) {
      const slot = slots[index];
      if (slot?.value !== undefined) yield slot as Slot & { readonly value: string };
    }
  }
}

const minHoles = 1024;

function findFirstAbove(slots: readonly Slot[], position: number): number {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle]?.position ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
