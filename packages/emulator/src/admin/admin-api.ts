/**
 * The admin API, free of sockets: who may call it, what there is, what it answers. It is for whoever runs the emulator;
 * the token it wants is as good as the connection strings it hands out.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';
import {
  enrollmentGroupToJson,
  formatServiceConnectionString,
  individualEnrollmentToJson,
} from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import { decodeFaultRule } from '../faults/decode-fault-rule.ts';
import type { Counters } from './counters.ts';
import type { TraceLog } from './trace-log.ts';

/** A request to the admin API. */
export interface AdminCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** `Host`, as it came. */
  readonly host: string | undefined;
  /** `Authorization`, as it came. */
  readonly authorization: string | undefined;
  readonly body: string;
}

/** Its answer; `stream` is an answer that goes on as long as somebody listens. */
export type AdminAnswer =
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown }
  | { readonly kind: 'text'; readonly status: number; readonly text: string }
  | { readonly kind: 'page' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'stream' };

/** What the admin API tells about. */
export interface AdminParts {
  readonly core: EmulatorCore;
  readonly counters: Counters;
  readonly traces: TraceLog;
  /** Grants everything. */
  readonly token: Secret;
  /** `host:port` of the service, for connection strings. */
  readonly provisioningHost: string;
  readonly endpoints: object;
  readonly caFile: string | undefined;
  /** When the emulator was started, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** The admin API without a socket. */
export interface AdminApi {
  handle(call: AdminCall): AdminAnswer;
}

/** Makes the admin API. */
export function createAdminApi(parts: AdminParts): AdminApi {
  const { core, counters, traces } = parts;
  const digest = createHash('sha256').update(parts.token.reveal()).digest();

  return { handle };

  function handle(call: AdminCall): AdminAnswer {
    // A page elsewhere that has its name resolved to this machine must not reach it.
    if (!ownHost.test(call.host ?? '')) return problem(403, 'the admin API is for localhost');
    if (!URL.canParse(call.target, 'http://localhost')) return problem(400, 'the path is no path');
    const { pathname, searchParams } = new URL(call.target, 'http://localhost');
    if (pathname === '/' && call.method === 'GET') return { kind: 'page' };
    if (!isAllowed(call.authorization))
      return problem(401, 'a bearer token is needed; it was printed at start');
    const [, area = '', name = '', id = '', ...rest] = pathname.split('/');
    if (area === 'metrics' && name === '')
      return { kind: 'text', status: 200, text: counters.render(gauges()) };
    if (area !== 'api' || rest.length > 0) return notFound();
    try {
      return answer(`${call.method} ${name}`, decodeURIComponent(id), searchParams, call.body);
    } catch (error) {
      if (error instanceof URIError) return problem(400, 'the path is not percent-encoded');
      if (!isEndorseError(error)) throw error;
      return problem(400, error.message);
    }
  }

  function answer(operation: string, id: string, query: URLSearchParams, body: string): AdminAnswer {
    switch (operation) {
      case 'GET overview':
        return json(overview());
      case 'GET connection-strings':
        return json(connectionStrings());
      case 'GET enrollments':
        return json(enrollments(query));
      case 'GET enrollment-groups':
        return json([...core.store.enrollmentGroups.list()].map(describeGroup));
      case 'GET traces': {
        if (id === '') return json(traces.list());
        const trace = traces.find(id);
        return trace === undefined ? notFound() : json(trace);
      }
      case 'GET events':
        return { kind: 'stream' };
      case 'GET faults':
        return json(core.faults.list());
      case 'POST faults':
        return json({ name: core.faults.add(decodeFaultRule(parseJson(body), 'fault')) }, 201);
      case 'DELETE faults':
        if (id === '') core.faults.clear();
        else if (!core.faults.remove(id)) return notFound();
        return { kind: 'empty' };
      default:
        return notFound();
    }
  }

  function isAllowed(authorization: string | undefined): boolean {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(createHash('sha256').update(given).digest(), digest);
  }

  function gauges(): Readonly<Record<string, number>> {
    const { enrollments: individual, enrollmentGroups, registrations } = core.store;
    return {
      enrollments: individual.count(),
      enrollment_groups: enrollmentGroups.count(),
      registrations: registrations.count(),
      hub_devices: core.hubs.reduce((sum, hub) => sum + hub.countDevices(), 0),
      faults_active: core.faults.list().length,
      process_resident_bytes: process.memoryUsage.rss(),
    };
  }

  function overview(): object {
    const { idScope, hubs } = core;
    const { provisioningHost, endpoints, caFile, startedAt } = parts;
    return {
      idScope,
      provisioningHost,
      endpoints,
      ...(caFile === undefined ? {} : { caFile }),
      startedAt,
      gauges: gauges(),
      counters: counters.read(),
      hubs: hubs.map((hub) => ({ hostName: hub.hostName, devices: hub.countDevices() })),
    };
  }

  function connectionStrings(): readonly object[] {
    return core.policies.map(({ name, primaryKey, rights }) => ({
      policy: name,
      rights,
      connectionString: formatServiceConnectionString({
        hostName: parts.provisioningHost,
        sharedAccessKeyName: name,
        sharedAccessKey: primaryKey,
      }).revealText(),
    }));
  }

  /** A page of enrollments in the order they were made; `next` is what `after` has to be for the one behind it. */
  function enrollments(query: URLSearchParams): object {
    const limit = count(query.get('limit'), 100, 1000);
    const rows: object[] = [];
    let last = count(query.get('after'), 0, Number.MAX_SAFE_INTEGER);
    for (const { position, record } of core.store.enrollments.entries(last)) {
      if (rows.length >= limit) return { rows, next: last };
      rows.push(individualEnrollmentToJson(core.enrollments.describe(record)));
      last = position;
    }
    return { rows };
  }

  function describeGroup(record: Parameters<typeof core.enrollmentGroups.describe>[0]): object {
    return enrollmentGroupToJson(core.enrollmentGroups.describe(record));
  }
}

const ownHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

function json(value: unknown, status = 200): AdminAnswer {
  return { kind: 'json', status, value };
}

function problem(status: number, message: string): AdminAnswer {
  return { kind: 'json', status, value: { message } };
}

function notFound(): AdminAnswer {
  return problem(404, 'there is no such thing');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Refused by the decoder, which says what is wanted instead.
    return undefined;
  }
}

function count(text: string | null, fallback: number, most: number): number {
  return text !== null && /^\d{1,15}$/.test(text) ? Math.min(Number(text), most) : fallback;
}
