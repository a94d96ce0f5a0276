import { Secret } from '@endorse/interface';
import type { RandomSource } from '@endorse/interface';
import type { EmulatorCore } from '../core/core.ts';
import type { EmulatorEvent } from '../core/events.ts';
import type { DeviceExchange } from '../faults/fault-injection.ts';
import type { AdminParts } from './admin-api.ts';
import { createAdminApi } from './admin-api.ts';
import { startAdminServer } from './admin-server.ts';
import { createCounters } from './counters.ts';
import { createEventFeed } from './event-feed.ts';
import { createTraceLog } from './trace-log.ts';

/** How an admin API is reached. */
export interface EmulatorAdmin {
  /** `http://localhost:port`; also the address of its page. */
  readonly url: string;
  /** To be sent as bearer token. */
  readonly token: Secret;
}

/** An admin API that looks on, and listens. */
export interface StartedAdmin {
  readonly admin: EmulatorAdmin;
  readonly onEvent: (event: EmulatorEvent) => void;
  readonly onDeviceExchange: (exchange: DeviceExchange) => void;
  /** Begins to answer. */
  serve(
    core: EmulatorCore,
    about: Pick<AdminParts, 'provisioningHost' | 'endpoints' | 'caFile' | 'startedAt'>,
  ): void;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** Starts an admin API; it answers once it is told of what. Rejects with `ERR_EMULATOR_LISTEN`. */
export async function startAdmin(
  port: number,
  given: Secret | undefined,
  random: RandomSource,
): Promise<StartedAdmin> {
  const token = given ?? Secret.fromText(Buffer.from(random.bytes(24)).toString('base64url'));
  const counters = createCounters();
  const traces = createTraceLog();
  const feed = createEventFeed();
  const server = await startAdminServer(port);
  return {
    admin: { url: `http://localhost:${server.port}`, token },
    onEvent: (event) => {
      counters.count(event);
      feed.publish({ kind: 'event', event });
    },
    onDeviceExchange: (exchange) => feed.publish({ kind: 'trace', trace: traces.note(exchange) }),
    serve: (core, about) => server.serve(createAdminApi({ core, counters, traces, token, ...about }), feed),
    close: () => server.close(),
  };
}
