import type { Clock } from '@endorse/interface';
import type { EmulatorEvent, EmulatorEventDetails } from './events.ts';
import type { EmulatorStore } from './store.ts';

/** Requests as indivisible steps, and the events they lead to. */
export interface UnitOfWork {
  /** Runs a request as one step of the store. Its events are reported once all of it is stored, and not at all when it throws. */
  atomically<Result>(work: () => Result): Result;
  /** Reports an event: at once, or at the end of the step that is running. */
  readonly emit: (event: EmulatorEventDetails) => void;
}

/** Makes steps over a store. `onEvent` may throw; nobody minds. */
export function createUnitOfWork(
  store: Pick<EmulatorStore, 'transaction'>,
  clock: Pick<Clock, 'now'>,
  onEvent: ((event: EmulatorEvent) => void) | undefined,
): UnitOfWork {
  let pending: EmulatorEvent[] | undefined;
  return {
    atomically: (work) => {
      if (pending !== undefined) return work();
      const events: EmulatorEvent[] = [];
      pending = events;
      try {
        return store.transaction(work);
      } catch (error) {
        events.length = 0;
        throw error;
      } finally {
        pending = undefined;
        for (const event of events) deliver(event);
      }
    },
    emit: (details) => {
      const event: EmulatorEvent = { at: clock.now(), ...details };
      if (pending === undefined) deliver(event);
      else pending.push(event);
    },
  };

  function deliver(event: EmulatorEvent): void {
    try {
      onEvent?.(event);
    } catch {
      // A listener that fails must not decide over a device's registration.
    }
  }
}
