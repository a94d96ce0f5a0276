/** What every request of the client goes through: sending, and judging the answer. */
import { InvalidArgumentError } from '@endorse/interface';
import type { HttpResponse, HttpResponseOptions } from '@endorse/protocol';
import { checkSuccess, headerNames } from '@endorse/protocol';
import type { EnrollmentClientSettings } from './options.ts';
import { remedyFor } from './remedies.ts';
import type { Sender, ServiceCall } from './sender.ts';

/** Options of every request. */
export interface RequestOptions {
  /** Stops the request and its repetitions; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a request that changes or removes a record. */
export interface ConditionalRequestOptions extends RequestOptions {
  /** The etag the record must still have, or `*` for whatever it has. */
  readonly ifMatch?: string | undefined;
}

/** Sends a call and lets only success pass. */
export type Requester = (
  call: ServiceCall,
  options: RequestOptions,
  answer?: { readonly hasBody: boolean },
) => Promise<HttpResponse>;

/** Makes the requester of a client. */
export function createRequester({ clock }: EnrollmentClientSettings, sender: Sender): Requester {
  return async (call, { signal }, answer = { hasBody: true }) => {
    if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
      throw new InvalidArgumentError('options.signal', 'must be an AbortSignal');
    }
    signal?.throwIfAborted();
    const response = await sender.send(call, signal);
    const options: HttpResponseOptions = { attempted: call.attempted, nowMs: clock.now(), remedyFor };
    checkSuccess(response, options, answer.hasBody);
    return response;
  };
}

/** `If-Match` of a request; clients and documents write etags with and without their quotes. */
export function ifMatchHeader(ifMatch: string | undefined): Readonly<Record<string, string>> {
  if (ifMatch === undefined) return {};
  if (typeof ifMatch !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(ifMatch)) {
    throw new InvalidArgumentError('options.ifMatch', 'must be an etag or *');
  }
  const isComplete = ifMatch === '*' || /^(W\/)?".*"$/.test(ifMatch);
  return { [headerNames.ifMatch]: isComplete ? ifMatch : `"${ifMatch}"` };
}
