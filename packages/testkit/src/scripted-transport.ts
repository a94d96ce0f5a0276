import type {
  AttestationKind,
  AuthenticationChallenge,
  ChallengeRequest,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  SessionAttestation,
  SessionRequestOptions,
  Transport,
  TransportCapabilities,
} from '@endorse/interface';
import { LocalProtocolError, UnsupportedCapabilityError, attestationKinds } from '@endorse/interface';

/** How a scripted call ends: with a reply, an error, never (until aborted or closed), or as a function decides. */
export type ScriptedAnswer<Request, Reply> =
  | { readonly reply: Reply }
  | { readonly error: Error }
  | { readonly hang: true }
  | { readonly run: (request: Request, signal: AbortSignal) => Reply | Promise<Reply> };

/** One step of a script: the call that must come next and how it ends. */
export type ScriptStep =
  | {
      readonly call: 'getAuthenticationChallenge';
      readonly answer: ScriptedAnswer<ChallengeRequest, AuthenticationChallenge>;
    }
  | { readonly call: 'register'; readonly answer: ScriptedAnswer<RegisterRequest, RegistrationReply> }
  | {
      readonly call: 'queryOperationStatus';
      readonly answer: ScriptedAnswer<OperationStatusRequest, RegistrationReply>;
    };

/** The three requests of a session. */
export type SessionCall = ScriptStep['call'];

/** What a scripted transport saw, in order. */
export type ScriptedCall = { readonly session: number } & (
  | {
      readonly call: 'openSession';
      readonly target: RegistrationTarget;
      readonly attestation: SessionAttestation;
    }
  | { readonly call: 'getAuthenticationChallenge'; readonly request: ChallengeRequest }
  | { readonly call: 'register'; readonly request: RegisterRequest }
  | { readonly call: 'queryOperationStatus'; readonly request: OperationStatusRequest }
  | { readonly call: 'close' }
);

/** The code under test made a call that the script does not have next, or left steps unused. */
export class ScriptError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ScriptError';
  }
}

/** A transport whose every answer is written down beforehand. */
export interface ScriptedTransport extends Transport {
  /** Every call so far, sessions numbered from 1. */
  readonly calls: readonly ScriptedCall[];
  /** How many steps are still unused. */
  readonly remaining: number;
  /** How many sessions are open. */
  readonly openSessions: number;
  /** Every departure from the script so far; also thrown at the caller. */
  readonly departures: readonly ScriptError[];
  /** Throws {@link ScriptError} when a step is unused, a call departed from the script, or a session is open. */
  assertDone(): void;
}

/** Options of {@link createScriptedTransport}. */
export interface ScriptedTransportOptions {
  /** The attestations the manifest names; default all three. */
  readonly attestations?: readonly AttestationKind[];
  /** Where the manifest says the challenge travels; default `request`. */
  readonly challenge?: TransportCapabilities['challenge'];
  /** Carrier name in the manifest; default `scripted`. */
  readonly carrier?: string;
}

/**
 * Makes a transport that answers calls from `script`, in order, over all its sessions.
 *
 * It keeps the contract: an aborted signal rejects with its reason, a closed session with `ERR_SESSION_CLOSED`,
 * a missing attestation throws `ERR_UNSUPPORTED_CAPABILITY`. None of these consumes a step before it has begun.
 */
export function createScriptedTransport(
  script: readonly ScriptStep[],
  options: ScriptedTransportOptions = {},
): ScriptedTransport {
  const attestations = Object.freeze([...(options.attestations ?? attestationKinds)]);
  const refusals = Object.fromEntries(
    attestationKinds
      .filter((kind) => !attestations.includes(kind))
      .map((kind) => [kind, 'not in this script']),
  );
  const capabilities: TransportCapabilities = Object.freeze({
    carrier: options.carrier ?? 'scripted',
    attestations,
    refusals: Object.freeze(refusals),
    challenge: options.challenge ?? 'request',
    proxy: false,
  });
  const pending = [...script];
  const calls: ScriptedCall[] = [];
  const departures: ScriptError[] = [];
  let sessions = 0;
  let openSessions = 0;

  /** Takes the step that must be next, or notes the departure and throws it. */
  function take<Call extends SessionCall>(call: Call): Extract<ScriptStep, { call: Call }> {
    const step = pending[0];
    if (step?.call !== call) {
      const wanted = step === undefined ? 'no further call' : step.call;
      const departure = new ScriptError(`call ${calls.length} is ${call}, the script has ${wanted}`);
      departures.push(departure);
      throw departure;
    }
    pending.shift();
    return step as Extract<ScriptStep, { call: Call }>;
  }

  function openSession(target: RegistrationTarget, attestation: SessionAttestation): RegistrationSession {
    if (!attestations.includes(attestation.kind)) {
      throw new UnsupportedCapabilityError(`the scripted transport does not carry ${attestation.kind}`, {
        required: attestation.kind,
        available: attestations,
      });
    }
    sessions += 1;
    openSessions += 1;
    const session = sessions;
    const closing = new AbortController();
    calls.push({ session, call: 'openSession', target, attestation });

    const begin = (signal: AbortSignal): void => {
      signal.throwIfAborted();
      if (closing.signal.aborted) throw closing.signal.reason;
    };
    const close = async (): Promise<void> => {
      if (closing.signal.aborted) return;
      openSessions -= 1;
      calls.push({ session, call: 'close' });
      closing.abort(
        new LocalProtocolError('ERR_SESSION_CLOSED', 'the session was closed', { state: 'closed' }),
      );
    };
    return {
      async getAuthenticationChallenge(request, { signal }: SessionRequestOptions) {
        begin(signal);
        calls.push({ session, call: 'getAuthenticationChallenge', request });
        return give(take('getAuthenticationChallenge').answer, request, signal, closing.signal);
      },
      async register(request, { signal }: SessionRequestOptions) {
        begin(signal);
        calls.push({ session, call: 'register', request });
        return give(take('register').answer, request, signal, closing.signal);
      },
      async queryOperationStatus(request, { signal }: SessionRequestOptions) {
        begin(signal);
        calls.push({ session, call: 'queryOperationStatus', request });
        return give(take('queryOperationStatus').answer, request, signal, closing.signal);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  return {
    specificationVersion: 'v1',
    capabilities,
    openSession,
    calls,
    departures,
    get remaining() {
      return pending.length;
    },
    get openSessions() {
      return openSessions;
    },
    assertDone() {
      const departure = departures[0];
      if (departure !== undefined) throw departure;
      if (pending.length > 0) {
        throw new ScriptError(`unused steps: ${pending.map(({ call }) => call).join(', ')}`);
      }
      if (openSessions > 0) throw new ScriptError(`${openSessions} session(s) left open`);
    },
  };
}

/** Plays one answer, cut short by the caller's signal or by closing the session. */
function give<Request, Reply>(
  answer: ScriptedAnswer<Request, Reply>,
  request: Request,
  signal: AbortSignal,
  closing: AbortSignal,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      closing.removeEventListener('abort', onClose);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    const onClose = (): void => end(() => reject(closing.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    closing.addEventListener('abort', onClose, { once: true });
    play(answer, request, signal).then(
      (reply) => end(() => resolve(reply)),
      (error: unknown) => end(() => reject(error)),
    );
  });
}

async function play<Request, Reply>(
  answer: ScriptedAnswer<Request, Reply>,
  request: Request,
  signal: AbortSignal,
): Promise<Reply> {
  if ('reply' in answer) return answer.reply;
  if ('error' in answer) throw answer.error;
  if ('hang' in answer) return new Promise<never>(() => undefined);
  return answer.run(request, signal);
}
