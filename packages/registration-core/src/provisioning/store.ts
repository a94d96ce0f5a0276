/**
 * Where a device keeps its assignment between boots: one text, replaced as a
 * whole. `@endorse/registration-core/node` has a store on a file.
 */
export interface ProvisioningStore {
  /** What was written last; undefined when nothing was. Never sees half of a write. Rejects with `ERR_STATE_READ`. */
  read(options: { readonly signal: AbortSignal }): Promise<string | undefined>;
  /** Replaces the text; after a crash or power loss there is the old one or the new one. Rejects with `ERR_STATE_WRITE`. */
  write(text: string, options: { readonly signal: AbortSignal }): Promise<void>;
  /**
   * Runs `work` while nobody else, in this process or another, runs theirs. Rejects with `ERR_STATE_LOCKED` when the
   * others take longer than `limitMs`, with `signal.reason` on abort while it waits, and as `work` does.
   * A process that dies must let go of the lock by dying.
   */
  withLock<Value>(
    work: () => Promise<Value>,
    options: { readonly signal: AbortSignal; readonly limitMs: number },
  ): Promise<Value>;
}
