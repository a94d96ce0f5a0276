import type {
  RegistrationReply,
  RegistrationSession,
  Secret,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { ServiceError, TransportError } from '@endorse/interface';
import { assignedReply, assigningReply, disabledReply, failedReply } from '@endorse/testkit';
import fc from 'fast-check';

/** How a call ends, drawn before the run. */
export type Whim =
  | 'succeed'
  | 'assigning'
  | 'assigned'
  | 'incomplete'
  | 'failed'
  | 'disabled'
  | 'throttled'
  | 'unavailable'
  | 'unauthorized'
  | 'not-found'
  | 'bad-request'
  | 'lost'
  | 'foreign-error'
  | 'throw-undefined'
  | 'throw-now'
  | 'hang'
  | 'hang-deaf';

export const whims: fc.Arbitrary<readonly Whim[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom<Whim>('succeed', 'assigning', 'assigned') },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Whim>('throttled', 'unavailable', 'unauthorized', 'not-found', 'lost'),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Whim>(
        'incomplete',
        'failed',
        'disabled',
        'bad-request',
        'foreign-error',
        'throw-undefined',
        'throw-now',
        'hang',
        'hang-deaf',
      ),
    },
  ),
  { minLength: 1, maxLength: 40 },
);

/** Deals whims in turn, over and over. */
export function dealer(drawn: readonly Whim[]): () => Whim {
  let next = 0;
  return () => {
    next += 1;
    return drawn[(next - 1) % drawn.length] ?? 'succeed';
  };
}

/** A peer, and what it saw. */
export interface WildPeer {
  readonly transport: Transport;
  readonly tokens: readonly Secret[];
  readonly counts: { opened: number; closed: number; requests: number };
}

const operation = '5.0123456789abcdef.11111111-2222-4333-8444-555555555555';

/** A transport whose every call ends as it likes: keeps the types of the contract, and nothing else of it. */
export function createWildPeer(deal: () => Whim, challenge: TransportCapabilities['challenge']): WildPeer {
  const tokens: Secret[] = [];
  const counts = { opened: 0, closed: 0, requests: 0 };

  function answer<Reply>(succeed: (whim: Whim) => Reply, signal: AbortSignal): Promise<Reply> {
    counts.requests += 1;
    const whim = deal();
    if (whim === 'throw-now') throw new Error('thrown before a promise');
    return end(whim, signal).then(() => succeed(whim));
  }

  const transport: Transport = {
    specificationVersion: 'v1',
    capabilities: {
      carrier: 'wild',
      attestations: ['tpm', 'symmetric-key', 'x509'],
      refusals: {},
      challenge,
      proxy: false,
    },
    openSession(): RegistrationSession {
      if (deal() === 'throw-now') throw new Error('no session today');
      counts.opened += 1;
      let closed = false;
      const close = (): Promise<void> => {
        if (!closed) counts.closed += 1;
        closed = true;
        const whim = deal();
        if (whim === 'hang-deaf') return new Promise(() => undefined);
        if (whim === 'throw-now') throw new Error('close() threw');
        return whim === 'foreign-error' ? Promise.reject(new Error('close() rejected')) : Promise.resolve();
      };
      return {
        getAuthenticationChallenge: (_request, { signal }) =>
          answer(() => ({ activationBlob: Uint8Array.of(1, 2, 3), keyName: 'registration' }), signal),
        register: ({ sasToken }, { signal }) => {
          if (sasToken !== undefined) tokens.push(sasToken);
          return answer(reply, signal);
        },
        queryOperationStatus: ({ sasToken }, { signal }) => {
          if (sasToken !== undefined) tokens.push(sasToken);
          return answer(reply, signal);
        },
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  };
  return { transport, tokens, counts };
}

/** Ends a call that has no reply: rejects, hangs until aborted, or hangs for good. Resolves for the rest. */
export function end(whim: Whim, signal: AbortSignal): Promise<void> {
  switch (whim) {
    case 'throttled':
      return Promise.reject(new ServiceError('429', { status: 429, retryAfterMs: 2000 }));
    case 'unavailable':
      return Promise.reject(new ServiceError('503', { status: 503 }));
    case 'unauthorized':
      return Promise.reject(new ServiceError('401', { status: 401 }));
    case 'not-found':
      return Promise.reject(new ServiceError('404', { status: 404 }));
    case 'bad-request':
      return Promise.reject(new ServiceError('400', { status: 400 }));
    case 'lost':
      return Promise.reject(
        new TransportError('ERR_TRANSPORT_LOST', 'lost', { phase: 'receive', retryable: true }),
      );
    case 'foreign-error':
      return Promise.reject(new Error('not of ours'));
    case 'throw-undefined':
      return Promise.reject(undefined);
    case 'hang':
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    case 'hang-deaf':
      return new Promise(() => undefined);
    default:
      return Promise.resolve();
  }
}

function reply(whim: Whim): RegistrationReply {
  switch (whim) {
    case 'failed':
      return failedReply(operation, 400_207, 'the webhook failed');
    case 'disabled':
      return disabledReply('device-1');
    case 'assigned':
      return assignedReply(operation, { registrationId: 'device-1', hubKey: Uint8Array.of(4, 5, 6) });
    case 'incomplete':
      return { operation: { operationId: '', status: 'assigned' } };
    default:
      return assigningReply(operation, 1000);
  }
}
