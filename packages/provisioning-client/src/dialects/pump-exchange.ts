import type { PumpOutcome, PumpTransport } from '@endorse/interface';
import type { HttpRequest, HttpResponse } from '@endorse/protocol';
import { headerNames } from '@endorse/protocol';
import type { RunContext } from './conversation.ts';

/** Value of `user-agent`. */
export const userAgent = 'endorse-provisioning-client';

/** Sends one HTTP request through a pump; `onEnd` is called from inside its `doWork()`. */
export function exchange(
  pump: PumpTransport,
  request: HttpRequest,
  { trace }: Pick<RunContext, 'trace'>,
  onEnd: (outcome: PumpOutcome<HttpResponse>) => void,
): void {
  const { method, target, headers, body } = request;
  trace('request-sent', { method, target, bodyBytes: body === undefined ? 0 : Buffer.byteLength(body) });
  pump.send(
    {
      method,
      target,
      headers: { ...headers, [headerNames.userAgent]: userAgent },
      ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
    },
    (outcome) => {
      if (outcome.ok) {
        const { status, headers: answered, body: bytes } = outcome.value;
        const requestId = answered[headerNames.requestId];
        trace('reply-received', { method, target, status, bodyBytes: bytes.byteLength, requestId });
      } else {
        trace('request-failed', { method, target, code: (outcome.error as { code?: unknown }).code });
      }
      onEnd(outcome);
    },
  );
}
