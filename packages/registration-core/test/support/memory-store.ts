import type { ProvisioningStore } from '@endorse/registration-core';

/** A store in memory that several callers can share; `text` can be set to anything. */
export interface MemoryStore extends ProvisioningStore {
  text: string | undefined;
  readonly writes: readonly string[];
}

export function createMemoryStore(text?: string): MemoryStore {
  const writes: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  return {
    text,
    writes,
    async read() {
      return this.text;
    },
    async write(written) {
      this.text = written;
      writes.push(written);
    },
    withLock(work) {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}
