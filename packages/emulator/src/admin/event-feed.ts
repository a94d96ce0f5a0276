import type { EmulatorEvent } from '../core/events.ts';
import type { RegistrationTrace } from './trace-log.ts';

/** Something new, for whoever watches. */
export type FeedMessage =
  | { readonly kind: 'event'; readonly event: EmulatorEvent }
  | { readonly kind: 'trace'; readonly trace: RegistrationTrace };

/** Hands what is new to everybody who watches at the moment. */
export interface EventFeed {
  publish(message: FeedMessage): void;
  /** Watches from now on; returns what ends it. Undefined when there are too many already. */
  watch(listener: (message: FeedMessage) => void): (() => void) | undefined;
}

/** Makes a feed without watchers. */
export function createEventFeed(): EventFeed {
  const listeners = new Set<(message: FeedMessage) => void>();
  return {
    publish: (message) => {
      for (const listener of listeners) listener(message);
    },
    watch: (listener) => {
      if (listeners.size >= maxWatchers) return undefined;
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A handful of people and programs; a page that reloads for ever must not pile up. */
const maxWatchers = 32;
