import type { AttestationKind, RegistrationOperationStatus, RegistrationStatus } from '@endorse/interface';
import { ServiceError, TimeoutError, TransportError } from '@endorse/interface';
import type {
  RegistrationEvent,
  RegistrationMachineState,
  RegistrationSettings,
} from '@endorse/registration-core/machine';
import { createRetryPolicy, describeFailure } from '@endorse/registration-core/machine';
import fc from 'fast-check';

export const attestations: fc.Arbitrary<AttestationKind> = fc.constantFrom('tpm', 'symmetric-key', 'x509');

/** Small bounds, so that runs reach them. */
export const settings: fc.Arbitrary<RegistrationSettings> = fc.record({
  attestation: attestations,
  carrier: fc.constant('arbitrary'),
  challenge: fc.constantFrom('request', 'handshake'),
  policy: fc
    .record({
      maxRetries: fc.integer({ min: 0, max: 5 }),
      baseDelayMs: fc.integer({ min: 1, max: 2000 }),
      maxDelayMs: fc.integer({ min: 1, max: 5000 }),
      maxRetryAfterMs: fc.integer({ min: 0, max: 5000 }),
      pollDelayMs: fc.integer({ min: 1, max: 3000 }),
      maxPolls: fc.integer({ min: 1, max: 12 }),
      maxTokenRefusals: fc.integer({ min: 0, max: 3 }),
      maxRestarts: fc.integer({ min: 0, max: 3 }),
    })
    .map((policy) => createRetryPolicy(policy)),
  maxTotalDelayMs: fc.integer({ min: 1, max: 60_000 }),
  tokenRenewalMarginMs: fc.constant(1000),
  operationId: fc.option(fc.constant('5.resumed'), { nil: undefined }),
});

/** A pause as a service may ask for it, nonsense included. */
export const retryAfter: fc.Arbitrary<number | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 100_000 }),
  fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY, 0.25),
);

export const statuses: fc.Arbitrary<RegistrationStatus> = fc.constantFrom(
  'unassigned',
  'assigning',
  'assigned',
  'failed',
  'disabled',
);

const complete: RegistrationOperationStatus = {
  operationId: '',
  status: 'assigned',
  registrationState: {
    assignedHub: 'hub.example.test',
    deviceId: 'device-1',
    tpm: { authenticationKey: Uint8Array.of(9, 9) },
  },
};

/** Any answer of the service, complete or not; still assigning more often than not. */
export const operations: fc.Arbitrary<RegistrationOperationStatus> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      operationId: fc.constantFrom('5.a', '5.b', ''),
      status: fc.constantFrom<RegistrationStatus>('assigning', 'assigning', 'unassigned'),
    }),
  },
  { weight: 1, arbitrary: fc.constant(complete) },
  {
    weight: 2,
    arbitrary: fc.record(
      {
        operationId: fc.constantFrom('5.a', ''),
        status: statuses,
        registrationState: fc.record(
          {
            assignedHub: fc.constantFrom('hub.example.test', ''),
            deviceId: fc.constantFrom('device-1', ''),
            tpm: fc.record({ authenticationKey: fc.constantFrom(Uint8Array.of(9, 9), new Uint8Array()) }),
            errorCode: fc.constant(400_207),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['operationId', 'status'] },
    ),
  },
);

/** Errors of every kind that a part may throw. */
export const errors: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .tuple(fc.constantFrom(400, 401, 403, 404, 408, 409, 412, 429, 500, 501, 502, 503, 504), retryAfter)
    .map(([status, retryAfterMs]) => new ServiceError('service', { status, retryAfterMs })),
  fc
    .boolean()
    .map((retryable) => new TransportError('ERR_TRANSPORT_LOST', 'lost', { phase: 'receive', retryable })),
  fc.boolean().map((retryable) => new TimeoutError('slow', { deadlineMs: 1, state: 'x', retryable })),
  fc.constantFrom<unknown>(new Error('foreign'), undefined, null, 'text', { code: 'ERR_LOOKS_LIKE_ONE' }),
);

/** How one activity ends, whatever it is: drawn beforehand, so that runs are cheap to make and to shrink. */
export interface Fortune {
  readonly succeeds: boolean;
  readonly operation: RegistrationOperationStatus;
  readonly retryAfterMs: number | undefined;
  readonly error: unknown;
  readonly jitter: number;
  readonly tokenLifeMs: number;
  /** Time the activity takes. */
  readonly elapsedMs: number;
}

export const fortunes: fc.Arbitrary<readonly Fortune[]> = fc.array(
  fc.record({
    succeeds: fc.oneof(
      { weight: 3, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
    operation: operations,
    retryAfterMs: retryAfter,
    error: errors,
    jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    tokenLifeMs: fc.integer({ min: 0, max: 10_000 }),
    elapsedMs: fc.integer({ min: 0, max: 5000 }),
  }),
  { minLength: 1, maxLength: 30 },
);

/** The event in which the activity of `state` ends. */
export function outcomeEvent(
  state: RegistrationMachineState,
  fortune: Fortune,
  now: number,
): RegistrationEvent {
  if (state.name === 'idle') return { type: 'start' };
  if (!fortune.succeeds) {
    const { error, jitter } = fortune;
    return { type: 'io-failed', error, failure: describeFailure(error), jitter };
  }
  switch (state.name) {
    case 'reading-identity':
      return { type: 'identity-read', registrationId: 'device-1' };
    case 'awaiting-challenge':
      return { type: 'challenge-received', activationBlob: Uint8Array.of(251, 252), keyName: 'registration' };
    case 'activating':
    case 'storing-credential':
      return { type: 'key-activated' };
    case 'signing':
      return { type: 'token-signed', expiresAt: now + fortune.tokenLifeMs };
    case 'registering':
    case 'polling':
      return { type: 'operation-reported', operation: fortune.operation, retryAfterMs: fortune.retryAfterMs };
    case 'waiting':
    case 'backing-off':
      return { type: 'woke' };
    default:
      throw new Error(`nothing happens in ${state.name}`);
  }
}
