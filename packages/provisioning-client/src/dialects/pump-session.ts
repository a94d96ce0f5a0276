import type { Clock, PumpTransport, RegistrationSession, RegistrationTarget } from '@endorse/interface';
import type { HttpRequest, HttpResponse, HttpResponseOptions } from '@endorse/protocol';
import {
  decodeChallengeReply,
  decodeRegistrationReply,
  encodeChallengeHttpRequest,
  encodeOperationStatusHttpRequest,
  encodeRegisterHttpRequest,
} from '@endorse/protocol';
import type { RunContext } from './conversation.ts';
import { exchange } from './pump-exchange.ts';

/**
 * A session over an opened pump: today's HTTP, whose promises settle only in the wake of the pump's `doWork()`.
 * It leaves the connection to whoever opened it, so that closing it does nothing, and needs no signal: whoever ends
 * a run closes the pump.
 */
export function createPumpSession(
  pump: PumpTransport,
  { idScope }: RegistrationTarget,
  run: RunContext,
  clock: Pick<Clock, 'now'>,
): RegistrationSession {
  const send = <Reply>(
    attempted: string,
    request: HttpRequest,
    decode: (response: HttpResponse, options: HttpResponseOptions) => Reply,
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      exchange(pump, request, run, (outcome) => {
        if (!outcome.ok) {
          reject(outcome.error);
          return;
        }
        try {
          resolve(decode(outcome.value, { attempted, nowMs: clock.now() }));
        } catch (error) {
          reject(error);
        }
      });
    });
  const close = async (): Promise<void> => undefined;
  return {
    getAuthenticationChallenge: async (request) =>
      send(
        `ask for the challenge of ${request.registrationId}`,
        encodeChallengeHttpRequest(request),
        decodeChallengeReply,
      ),
    register: async (request) =>
      send(
        `register ${request.registrationInfo.registrationId}`,
        encodeRegisterHttpRequest(idScope, request),
        decodeRegistrationReply,
      ),
    queryOperationStatus: async (request) =>
      send(
        `query the operation of ${request.registrationId}`,
        encodeOperationStatusHttpRequest(idScope, request),
        decodeRegistrationReply,
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}
