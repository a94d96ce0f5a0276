/** Type tests: what the options take and what comes out. */
import { expectTypeOf } from 'vitest';
import type { Secret, Transport } from '@endorse/interface';
import type {
  HttpDispatcher,
  HttpDispatcherFactory,
  HttpTransportOptions,
  OwnedHttpDispatcher,
} from '@endorse/transport-http';
import { createHttpTransport } from '@endorse/transport-http';

expectTypeOf(createHttpTransport).returns.toEqualTypeOf<Transport>();
expectTypeOf<HttpTransportOptions['proxyUrl']>().toEqualTypeOf<string | Secret | undefined>();
expectTypeOf<HttpTransportOptions['ca']>().toEqualTypeOf<string | readonly string[] | undefined>();
expectTypeOf<HttpTransportOptions['dispatcher']>().toEqualTypeOf<
  HttpDispatcher | HttpDispatcherFactory | undefined
>();
expectTypeOf<ReturnType<HttpDispatcherFactory>>().toEqualTypeOf<OwnedHttpDispatcher>();
expectTypeOf<OwnedHttpDispatcher>().toExtend<HttpDispatcher>();

createHttpTransport({});
createHttpTransport({ ca: undefined, logger: undefined });
// @ts-expect-error -- an option that does not exist
createHttpTransport({ caFile: 'ca.pem' });
// @ts-expect-error -- time limits are numbers of milliseconds
createHttpTransport({ connectTimeoutMs: '10s' });
