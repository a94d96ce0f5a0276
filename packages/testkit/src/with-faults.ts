import type {
  ChallengeRequest,
  Clock,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationSession,
  SessionRequestOptions,
  Transport,
  TransportErrorCode,
} from '@endorse/interface';
import { LocalProtocolError, TransportError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { SessionCall } from './scripted-transport.ts';

/** What goes wrong with one request. */
export type Fault =
  /** The request is held back for `delayMs` before it is sent. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** The request is not sent; it rejects with `error`. */
  | { readonly kind: 'error'; readonly error: Error }
  /** The connection is lost before the request is sent. */
  | { readonly kind: 'drop-before' }
  /** The peer serves the request, but the connection is lost before its answer arrives. */
  | { readonly kind: 'drop-after' }
  /** The peer gets the request twice; the caller gets the second answer. */
  | { readonly kind: 'duplicate' }
  /** The request is sent and its answer never arrives. */
  | { readonly kind: 'hang' };

/** Which requests a fault strikes: the `nth` matching one, counted from 1 over all sessions; all of them without `nth`. */
export interface PlannedFault {
  /** Only this kind of request; default any. */
  readonly call?: SessionCall;
  /** Only the nth matching request, from 1. */
  readonly nth?: number;
  readonly fault: Fault;
}

/** A decorated transport. */
export interface FaultyTransport extends Transport {
  /** How many faults have struck. */
  readonly struck: number;
}

/** Decorates a transport so that requests go wrong as planned; the first matching fault of the plan strikes. */
export function withFaults(
  transport: Transport,
  plan: readonly PlannedFault[],
  options: { readonly clock?: Clock } = {},
): FaultyTransport {
  const clock = options.clock ?? systemClock;
  const counts = plan.map(() => 0);
  let struck = 0;

  /** Counts the request for every entry of the plan and returns what strikes it. */
  function next(call: SessionCall): Fault | undefined {
    let found: Fault | undefined;
    plan.forEach((planned, index) => {
      if (planned.call !== undefined && planned.call !== call) return;
      const count = (counts[index] ?? 0) + 1;
      counts[index] = count;
      if (planned.nth === undefined || planned.nth === count) found ??= planned.fault;
    });
    if (found !== undefined) struck += 1;
    return found;
  }

  function decorate<Request, Reply>(
    call: SessionCall,
    closing: AbortSignal,
    send: (request: Request, options: SessionRequestOptions) => Promise<Reply>,
  ): (request: Request, options: SessionRequestOptions) => Promise<Reply> {
    return async (request, sessionOptions) => {
      const signal: AbortSignal | undefined = sessionOptions?.signal;
      // Calls that break the contract are the decorated transport's to refuse.
      if (signal === undefined || signal.aborted || closing.aborted) return send(request, sessionOptions);
      const fault = next(call);
      switch (fault?.kind) {
        case undefined:
          return send(request, sessionOptions);
        case 'slow':
          await clock.sleep(fault.delayMs, signal);
          return send(request, sessionOptions);
        case 'error':
          throw fault.error;
        case 'drop-before':
          throw lost(call, 'send');
        case 'drop-after':
          await send(request, sessionOptions);
          throw lost(call, 'receive');
        case 'duplicate':
          await send(request, sessionOptions);
          return send(request, sessionOptions);
        case 'hang':
          await send(request, sessionOptions);
          return untilAborted(AbortSignal.any([signal, closing]));
        default:
          return fault satisfies never;
      }
    };
  }

  return {
    specificationVersion: 'v1',
    capabilities: transport.capabilities,
    get struck() {
      return struck;
    },
    openSession(target, attestation): RegistrationSession {
      const session = transport.openSession(target, attestation);
      const closing = new AbortController();
      const close = (): Promise<void> => {
        closing.abort(
          new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed', { state: 'closed' }),
        );
        return session.close();
      };
      return {
        getAuthenticationChallenge: decorate(
          'getAuthenticationChallenge',
          closing.signal,
          (request: ChallengeRequest, given) => session.getAuthenticationChallenge(request, given),
        ),
        register: decorate('register', closing.signal, (request: RegisterRequest, given) =>
          session.register(request, given),
        ),
        queryOperationStatus: decorate(
          'queryOperationStatus',
          closing.signal,
          (request: OperationStatusRequest, given) => session.queryOperationStatus(request, given),
        ),
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  };
}

function lost(call: SessionCall, phase: 'send' | 'receive'): TransportError {
  const code: TransportErrorCode = 'ERR_TRANSPORT_LOST';
  return new TransportError(code, `${call}: the connection was lost (planned fault)`, {
    phase,
    retryable: true,
  });
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
