/** A transport over the line protocol that keeps the contract, with steps that tests replace to break it. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type {
  AttestationKind,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  Secret,
  SessionRequestOptions,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import {
  InvalidArgumentError,
  LocalProtocolError,
  ServiceError,
  TransportError,
  UnsupportedCapabilityError,
} from '@endorse/interface';
import { parseHostPort, validateIdScope, validateRegistrationId } from '@endorse/protocol';
import type { LineAnswer, LineRequest } from './line-service.ts';

/** Steps that tests replace. */
export interface LineTransportSteps {
  /** The manifest. */
  readonly capabilities?: TransportCapabilities;
  /** Called when a session is opened. */
  readonly onOpen?: (connect: () => Socket) => void;
  /** How an abort is reported. */
  readonly abortError?: (reason: unknown) => unknown;
  /** What an abort does to the connection. */
  readonly onAbort?: (socket: Socket) => void;
  /** Whether an aborted signal is noticed at all while a request runs. */
  readonly ignoresAbort?: boolean;
  /** What closing does to the connection. */
  readonly onClose?: (socket: Socket) => void;
  /** What a repeated close does. */
  readonly onCloseAgain?: () => void;
  /** What a request after close is answered with. */
  readonly closedError?: () => Error;
  /** How a refused connection is reported. */
  readonly connectError?: (cause: Error) => Error;
  /** How a lost connection is reported. */
  readonly lostError?: () => Error;
  /** Whether the next request goes out on the connection that was lost. */
  readonly keepsLost?: boolean;
  /** Which token goes with a challenge request. */
  readonly challengeToken?: (last: string | undefined) => string | undefined;
  /** The words of an error answer. */
  readonly describe?: (request: LineRequest) => string;
  /** What a second request at once is answered with. */
  readonly busyError?: () => Error;
  /** Whether a target is checked. */
  readonly trustsTarget?: boolean;
}

const attestations = Object.freeze(['tpm', 'symmetric-key'] as const satisfies AttestationKind[]);

/** The right manifest. */
export const lineCapabilities: TransportCapabilities = Object.freeze({
  carrier: 'lines',
  attestations,
  refusals: Object.freeze({ x509: 'there is no TLS in which a certificate could be shown' }),
  challenge: 'request',
  proxy: false,
});

/** Makes a line transport. */
export function createLineTransport(steps: LineTransportSteps = {}): Transport {
  return {
    specificationVersion: 'v1',
    capabilities: steps.capabilities ?? lineCapabilities,
    openSession: (target, { kind }) => {
      if (kind === 'x509') {
        throw new UnsupportedCapabilityError('lines do not carry x509', {
          required: kind,
          available: attestations,
        });
      }
      return openLineSession(target, kind, steps);
    },
  };
}

function openLineSession(
  target: RegistrationTarget,
  kind: AttestationKind,
  steps: LineTransportSteps,
): RegistrationSession {
  if (steps.trustsTarget !== true) {
    validateIdScope(target.idScope);
    validateRegistrationId(target.registrationId);
    parseHostPort(target.provisioningHost);
  }
  const open = (): Socket => {
    const { host, port } = parseHostPort(target.provisioningHost);
    return connect({ host, port });
  };
  const closing = new AbortController();
  const closedError =
    steps.closedError ??
    ((): Error => new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed'));
  const connectError =
    steps.connectError ??
    ((cause): Error =>
      new TransportError('ERR_TRANSPORT_CONNECT', 'cannot connect', {
        cause,
        phase: 'connect',
        retryable: true,
        remedy: 'Start the service.',
      }));
  const lostError =
    steps.lostError ??
    ((): Error =>
      new TransportError('ERR_TRANSPORT_LOST', 'the connection was lost', {
        phase: 'receive',
        retryable: true,
        remedy: 'Try again.',
      }));
  let socket: Socket | undefined;
  let busy = false;
  let lastToken: string | undefined;
  steps.onOpen?.(open);

  const exchange = async (request: LineRequest, options: SessionRequestOptions): Promise<LineAnswer> => {
    if (closing.signal.aborted) throw closedError();
    if (!(options?.signal instanceof AbortSignal))
      throw new InvalidArgumentError('options.signal', 'is missing');
    const { signal } = options;
    const abortError = steps.abortError ?? ((reason: unknown) => reason);
    if (signal.aborted) throw abortError(signal.reason);
    if (busy) throw steps.busyError?.() ?? new LocalProtocolError('ERR_LOCAL_STATE', 'a request is running');
    busy = true;
    socket ??= open();
    const current = socket;
    const cleanUp: (() => void)[] = [];
    try {
      return await new Promise<LineAnswer>((resolve, reject) => {
        const lines = createInterface({ input: current });
        // It repeats the errors of its input, and would throw them.
        lines.on('error', () => undefined);
        const listen = (on: AbortSignal, listener: () => void): void => {
          on.addEventListener('abort', listener, { once: true });
          cleanUp.push(() => on.removeEventListener('abort', listener));
        };
        if (steps.ignoresAbort !== true) {
          listen(signal, () => {
            (steps.onAbort ?? ((lost) => lost.destroy()))(current);
            socket = undefined;
            reject(abortError(signal.reason));
          });
        }
        listen(closing.signal, () => reject(closedError()));
        const onError = (cause: Error): void => {
          socket = undefined;
          reject(connectError(cause));
        };
        const onLost = (): void => {
          if (steps.keepsLost !== true) socket = undefined;
          reject(lostError());
        };
        current.on('error', onError).on('close', onLost);
        lines.once('line', (line) => resolve(JSON.parse(line) as LineAnswer));
        cleanUp.push(() => {
          lines.close();
          current.resume();
          current
            .off('close', onLost)
            .off('error', onError)
            .on('error', () => undefined);
        });
        current.write(`${JSON.stringify(request)}\n`);
      });
    } finally {
      busy = false;
      for (const step of cleanUp) step();
    }
  };

  const send = async (request: LineRequest, options: SessionRequestOptions): Promise<RegistrationReply> => {
    lastToken = request.token;
    const answer = await exchange(request, options);
    switch (answer.outcome) {
      case 'assigning':
        return { operation: { operationId: answer.operationId, status: 'assigning' }, retryAfterMs: 0 };
      case 'assigned': {
        const tpm =
          answer.blob === undefined ? {} : { tpm: { authenticationKey: Buffer.from(answer.blob, 'base64') } };
        const registrationState = {
          status: 'assigned',
          assignedHub: 'hub.example.test',
          deviceId: 'd',
          ...tpm,
        } as const;
        return { operation: { operationId: answer.operationId, status: 'assigned', registrationState } };
      }
      case 'challenge':
      case 'error':
        throw refusal(answer, request, steps);
      default:
        return answer satisfies never;
    }
  };
  let keys = {};
  const close = async (): Promise<void> => {
    if (closing.signal.aborted) steps.onCloseAgain?.();
    closing.abort();
    if (socket !== undefined) (steps.onClose ?? ((lost: Socket) => lost.destroy()))(socket);
  };
  return {
    async getAuthenticationChallenge({ registrationId, endorsementKey, storageRootKey }, options) {
      if (kind !== 'tpm') throw new LocalProtocolError('ERR_LOCAL_STATE', `${kind} has no challenge`);
      keys = { endorsementKey: toText(endorsementKey), storageRootKey: toText(storageRootKey) };
      const token = steps.challengeToken?.(lastToken);
      const request: LineRequest = { operation: 'challenge', registrationId, ...keys, ...optional(token) };
      const answer = await exchange(request, options);
      if (answer.outcome !== 'challenge') throw refusal(answer, request, steps);
      return { activationBlob: Buffer.from(answer.blob, 'base64'), keyName: 'registration' };
    },
    register: ({ sasToken, registrationInfo: { registrationId } }, options) =>
      send({ operation: 'register', registrationId, ...keys, ...reveal(sasToken) }, options),
    queryOperationStatus: ({ sasToken, registrationId, operationId }, options) =>
      send({ operation: 'query', registrationId, operationId, ...keys, ...reveal(sasToken) }, options),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function refusal(answer: LineAnswer, request: LineRequest, { describe }: LineTransportSteps): ServiceError {
  const status = answer.outcome === 'error' ? answer.status : 500;
  return new ServiceError(describe?.(request) ?? `${request.operation}: refused`, { status });
}

function reveal(sasToken: Secret | undefined): { readonly token?: string } {
  return optional(sasToken?.revealText());
}

function optional(token: string | undefined): { readonly token?: string } {
  return token === undefined ? {} : { token };
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
