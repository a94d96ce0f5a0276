import type { UnitOfWork } from '../core/unit-of-work.ts';
import { findRunning, replaceRunning } from '../core/operation.ts';
import type { EmulatorStore } from '../core/store.ts';
import type { AllocationDecision } from './allocation.ts';
import { customAllocationFailed } from './allocation.ts';
import type { LinkedHub } from './linked-hub.ts';
import type { CallWebHook, WebHookSubject } from './web-hook.ts';
import { createWebHookRequest, readWebHookOutcome } from './web-hook.ts';

/** The questions to web-hooks that are under way. */
export interface WebHookCalls {
  /**
   * Sees to it that an operation gets its decision: asks, unless that is under way, and writes what came of it down with the
   * operation, which stays `assigning` until then. After a restart, whoever looks next asks again.
   */
  ask(operationId: string, subject: WebHookSubject): void;
}

/** What the calls work with. */
export interface WebHookCallsParts extends UnitOfWork {
  readonly store: EmulatorStore;
  readonly linkedHubs: readonly LinkedHub[];
  /** Absent where nothing can be called. */
  readonly call: CallWebHook | undefined;
}

/** Makes the calls of one core. */
export function createWebHookCalls(parts: WebHookCallsParts): WebHookCalls {
  const { store, linkedHubs, call, atomically, emit } = parts;
  const underWay = new Set<string>();

  return {
    ask: (operationId, subject) => {
      // Beyond the bound a device has to come again, which it does anyway while it is assigning.
      if (underWay.has(operationId) || underWay.size >= maxCalls) return;
      const request = createWebHookRequest(subject, linkedHubs);
      if (request === undefined || call === undefined) {
        const reason =
          request === undefined ? 'the enrollment names no web-hook' : 'there is no way to call it';
        keep(operationId, subject, customAllocationFailed(reason));
        return;
      }
      underWay.add(operationId);
      void call(request)
        .then((outcome) => {
          const decision = readWebHookOutcome(outcome, subject.enrollment, linkedHubs);
          const { registrationId } = subject;
          atomically(() => {
            emit({
              event: 'web-hook-answered',
              registrationId,
              operationId,
              ...(outcome.outcome === 'answered' ? { status: outcome.status } : { reason: outcome.reason }),
            });
            keep(operationId, subject, decision);
          });
        })
        // A store that is closed or full. The operation goes on, and so does the device's asking.
        .catch(() => undefined)
        .finally(() => underWay.delete(operationId));
    },
  };

  function keep(
    operationId: string,
    { registrationId }: WebHookSubject,
    allocation: AllocationDecision,
  ): void {
    const memory = store.deviceMemories.get(registrationId);
    const running = findRunning(memory);
    if (memory === undefined || running?.operationId !== operationId) return;
    store.deviceMemories.set(registrationId, replaceRunning(memory, { ...running, allocation }));
  }
}

/** How many questions may be under way at once. */
const maxCalls = 256;
