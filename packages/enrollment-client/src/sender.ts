import { createHmac } from 'node:crypto';
import type { Secret } from '@endorse/interface';
import { isEndorseError, isRetryableStatus } from '@endorse/interface';
import type { HttpResponse } from '@endorse/protocol';
import {
  createSasToken,
  headerNames,
  jsonAccept,
  jsonContentType,
  parseRetryAfter,
  serviceResource,
} from '@endorse/protocol';
import type { HttpExchange, ServiceHttpRequest } from './http-exchange.ts';
import type { EnrollmentClientSettings } from './options.ts';

/** A request of the service API before it has a token. */
export interface ServiceCall {
  /** What is being attempted, for messages; holds no secret. */
  readonly attempted: string;
  readonly method: ServiceHttpRequest['method'];
  /** Path and query. */
  readonly target: string;
  /** More headers, lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text; absent without a body. */
  readonly body?: string;
  /** True when sending it twice does no more than sending it once, so that it is repeated after 5xx and lost connections as well. */
  readonly isRepeatable: boolean;
}

/** Sends calls, each with a token of its own, and repeats what may be repeated. */
export interface Sender {
  /** Resolves to the last answer, whatever its status. Rejects as {@link HttpExchange.send}. */
  send(call: ServiceCall, signal: AbortSignal | undefined): Promise<HttpResponse>;
}

/**
 * Makes a sender.
 *
 * A throttled request (429) was not carried out, so any is repeated, after the pause the service asks for, or a
 * growing one of ours. Requests that only read are also repeated after other retryable statuses and lost connections.
 * Bounded by `maxRetries` and `maxRetryDelayMs`.
 */
export function createSender(settings: EnrollmentClientSettings, exchange: HttpExchange): Sender {
  const { clock, logger, maxRetries } = settings;

  return {
    async send(call, signal = never) {
      for (let attempt = 0; ; attempt++) {
        const outcome = await attemptOnce(call, signal);
        const delayMs = attempt < maxRetries ? findDelay(call, outcome, attempt) : undefined;
        if (delayMs === undefined) {
          if ('error' in outcome) throw outcome.error;
          return outcome.response;
        }
        logger.log('info', 'request-delayed', { attempted: call.attempted, delayMs, attempt: attempt + 1 });
        await clock.sleep(delayMs, signal);
      }
    },
  };

  async function attemptOnce(call: ServiceCall, signal: AbortSignal): Promise<Outcome> {
    const { attempted, method, target, body } = call;
    const startedAt = clock.now();
    logger.log('debug', 'request-sent', { attempted, method, target });
    try {
      const token = await createToken();
      const headers = {
        [headerNames.accept]: jsonAccept,
        [headerNames.authorization]: token.revealText(),
        [headerNames.userAgent]: settings.userAgent,
        ...(body === undefined ? {} : { [headerNames.contentType]: jsonContentType }),
        ...call.headers,
      };
      token.dispose();
      const request = { method, target, headers, ...(body === undefined ? {} : { body }) };
      const response = await exchange.send(attempted, request, signal);
      logger.log('debug', 'reply-received', {
        attempted,
        status: response.status,
        bodyBytes: response.body.byteLength,
        requestId: response.headers[headerNames.requestId],
        durationMs: clock.now() - startedAt,
      });
      return { response };
    } catch (error) {
      const code = (error as { code?: unknown } | undefined)?.code;
      logger.log('debug', 'request-failed', { attempted, code, durationMs: clock.now() - startedAt });
      return { error };
    }
  }

  async function createToken(): Promise<Secret> {
    const { hostName, sharedAccessKeyName, sharedAccessKey } = settings.connection;
    return createSasToken({
      resource: serviceResource(hostName),
      keyName: sharedAccessKeyName,
      expiresAt: clock.now() + settings.tokenLifetimeMs,
      sign: async (data) => {
        const key = sharedAccessKey.reveal();
        const signature = createHmac('sha256', key).update(data).digest();
        key.fill(0);
        return signature;
      },
    });
  }

  /** How long to wait before the call is repeated; undefined when it is not. */
  function findDelay(call: ServiceCall, outcome: Outcome, attempt: number): number | undefined {
    const ownDelayMs = Math.min(firstDelayMs * 2 ** attempt, settings.maxRetryDelayMs);
    if ('error' in outcome) {
      const { error } = outcome;
      const isLost = isEndorseError(error) && error.code === 'ERR_TRANSPORT_LOST';
      return call.isRepeatable && isLost ? ownDelayMs : undefined;
    }
    const { status, headers } = outcome.response;
    const mayRepeat = status === 429 || (call.isRepeatable && isRetryableStatus(status));
    if (!mayRepeat) return undefined;
    const askedMs = parseRetryAfter(headers[headerNames.retryAfter], clock.now());
    if (askedMs === undefined) return ownDelayMs;
    return askedMs <= settings.maxRetryDelayMs ? askedMs : undefined;
  }
}

type Outcome = { readonly response: HttpResponse } | { readonly error: unknown };

/** Half a second, then twice as long each time. */
const firstDelayMs = 500;

/** For callers without a signal. */
const never: AbortSignal = new AbortController().signal;
