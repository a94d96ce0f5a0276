import type { EmulatorCoreOptions, EmulatorEvent } from '@endorse/emulator/core';
import type { VirtualClock } from '@endorse/interface/virtual-clock';
import { createServiceHandler } from '../../src/listener/service-handler.ts';
import type { CoreFixture } from './core-fixture.ts';
import { coreFixture, seededRandom } from './core-fixture.ts';
import { sas } from './software-tpm.ts';

/** A request to the service API; what is not said is that of a good one. */
export interface ServiceCall {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text that is sent as it is. */
  readonly body?: unknown;
}

/** An answer, taken apart. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
}

/** The provisioning service over HTTP without sockets, called as the owner. */
export interface HandlerFixture extends CoreFixture {
  readonly clock: VirtualClock;
  readonly events: readonly EmulatorEvent[];
  readonly call: (call: ServiceCall) => Promise<ServiceAnswer>;
  /** `api-version` as it goes behind a path. */
  readonly version: string;
}

const version = '?api-version=2021-10-01';

export function handlerFixture(options: Partial<EmulatorCoreOptions> = {}): HandlerFixture {
  const fixture = coreFixture(options);
  const { core, clock } = fixture;
  const handler = createServiceHandler(core, { clock, random: seededRandom('stamps') });
  return {
    ...fixture,
    version,
    call: async ({ method = 'GET', target, headers = {}, body }) => {
      const [policy] = core.policies;
      const authorization = await sas({
        resource: 'localhost',
        key: policy.primaryKey.reveal(),
        keyName: policy.name,
        expiresAt: clock.now() + 60_000,
      });
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      const answer = handler.handle({
        method,
        target: target.includes('?') ? target : `${target}${version}`,
        headers: { authorization, 'content-type': 'application/json; charset=utf-8', ...headers },
        body: Uint8Array.from(Buffer.from(text)),
      });
      const pairs = answer.headers.flatMap((name, index) =>
        index % 2 === 0 ? [[name, answer.headers[index + 1] ?? ''] as const] : [],
      );
      return {
        status: answer.status,
        headers: Object.fromEntries(pairs),
        json: answer.body === '' ? undefined : (JSON.parse(answer.body) as unknown),
      };
    },
  };
}
