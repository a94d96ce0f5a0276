import { LocalProtocolError, Secret, TimeoutError, isEndorseError } from '@endorse/interface';
import { readAnswer, requireSuccess } from './answer.ts';
import type { GatewayCallOptions, GatewayCaller } from './calls/call.ts';
import type { CredentialCalls } from './calls/credential-calls.ts';
import { createCredentialCalls } from './calls/credential-calls.ts';
import type { EdgeCalls } from './calls/edge-calls.ts';
import { createEdgeCalls } from './calls/edge-calls.ts';
import type { IdentityCalls } from './calls/identity-calls.ts';
import { createIdentityCalls } from './calls/identity-calls.ts';
import type { GatewayConnection, GatewayRequest } from './connection.ts';
import { cutShort } from './cut-short.ts';
import type { GatewaySettingsOfClient } from './options.ts';
import type { GatewayProfile } from './profile.ts';
import type { JsonObject } from './read-json.ts';
import { readObjects } from './read-json.ts';
import type { SettingsCalls } from './settings/settings-calls.ts';
import { createSettingsCalls } from './settings/settings-calls.ts';
import type { GatewayCredentials, SignedInUser, SignIn } from './sign-in.ts';

/**
 * A signed-in session with one gateway. Calls are made one at a time, in the order they were begun.
 *
 * A token that expired is renewed once per call, with the credentials the session was opened with. Nothing else is
 * repeated here: `retryable` of an error says whether that can help.
 */
export interface GatewaySession
  extends IdentityCalls, EdgeCalls, SettingsCalls, CredentialCalls, AsyncDisposable {
  readonly user: SignedInUser;
  readonly profile: GatewayProfile;
  /** SHA-256 of the gateway's certificate, 64 hex digits. */
  readonly fingerprint: string;
  /** Signs out where the gateway can, and closes the connection. Bounded, never rejects, harmless when repeated. */
  close(): Promise<void>;
}

/** What a session is made from. */
export interface SessionParts {
  readonly settings: GatewaySettingsOfClient;
  readonly connection: GatewayConnection;
  readonly signIn: SignIn;
  readonly credentials: GatewayCredentials;
  readonly signedIn: {
    readonly token: Secret;
    readonly user: SignedInUser;
    readonly profile: GatewayProfile;
  };
}

/** Pause between looks at a gateway that is coming back. */
const returnPauseMs = 250;

/** Builds a session around a token. */
export function createSession({
  settings,
  connection,
  signIn,
  credentials,
  signedIn,
}: SessionParts): GatewaySession {
  const { clock, logger, trust, pinName } = settings;
  const { profile, user } = signedIn;
  const closing = new AbortController();
  let password = copy(credentials.password);
  let token = signedIn.token;
  let queue: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;

  const send = async (
    attempted: string,
    request: GatewayRequest,
    signals: readonly AbortSignal[],
  ): Promise<JsonObject> => {
    const startedAt = clock.now();
    const answer = await connection.send(attempted, request, { token, signals });
    const { method, path } = request;
    logger.log('debug', 'request-answered', {
      method,
      path,
      status: answer.status,
      durationMs: clock.now() - startedAt,
    });
    return readAnswer(attempted, answer, [token, password, ...(request.secrets ?? [])]);
  };

  /** One call, with one renewal of an expired token. */
  const callNow = async (
    attempted: string,
    request: GatewayRequest,
    signals: readonly AbortSignal[],
  ): Promise<JsonObject> => {
    try {
      return await send(attempted, request, signals);
    } catch (error) {
      if (!isEndorseError(error) || error.code !== 'ERR_GATEWAY_SESSION_EXPIRED') throw error;
      logger.log('info', 'session-expired', { attempted });
      const renewed = await signIn({ ...credentials, password }, signals);
      token.dispose();
      token = renewed.token;
      return send(attempted, request, signals);
    }
  };

  const call: GatewayCaller['call'] = (attempted, request, { signal }) => {
    const signals = signal === undefined ? [closing.signal] : [signal, closing.signal];
    const turn = cutShort(() => queue, {
      timeoutMs: undefined,
      attempted,
      signals,
      onCut: () => undefined,
    });
    const answered = turn.then(() => callNow(attempted, request, signals));
    queue = Promise.allSettled([queue, answered]);
    return answered;
  };

  /** Asks until the gateway answers as expected; connection trouble and an old certificate mean "not yet". */
  const waitForReturn = async (isBack: () => boolean, { signal }: GatewayCallOptions): Promise<void> => {
    const endsAt = clock.now() + settings.returnTimeoutMs;
    const wait = signal ?? closing.signal;
    for (;;) {
      connection.drop();
      try {
        await call('look whether the gateway is back', { method: 'GET', path: '/auth' }, { signal });
        if (isBack()) return;
      } catch (error) {
        if (!isNotYet(error)) throw error;
      }
      if (clock.now() >= endsAt) throw notBack(settings.returnTimeoutMs);
      await clock.sleep(returnPauseMs, wait);
    }
  };

  const identity = createIdentityCalls({ call });
  const calls = {
    ...identity,
    ...createEdgeCalls({ call }, clock),
    ...createSettingsCalls({
      call,
      profile,
      identity,
      moveToPort: async (port, handOver, options) => {
        await surviveLoss(handOver);
        connection.moveTo(port);
        await waitForReturn(() => true, options);
      },
    }),
    ...createCredentialCalls({
      call,
      profile,
      currentPassword: () => password,
      usePassword: (changed) => {
        password.dispose();
        password = copy(changed);
      },
      exchangeCertificate: async (fingerprint, handOver, options) => {
        if (trust.mode !== 'ca') {
          await trust.pins.set(pinName, [...(await trust.pins.get(pinName)), fingerprint]);
        }
        await surviveLoss(handOver);
        await waitForReturn(() => connection.fingerprint === fingerprint, options);
        if (trust.mode !== 'ca') await trust.pins.set(pinName, [fingerprint]);
      },
    }),
  };

  const signOut = async (): Promise<void> => {
    if (!profile.hasSessions) return;
    const signals = [AbortSignal.timeout(settings.closeTimeoutMs)];
    const listed = await send('find the own session', { method: 'GET', path: '/sessions' }, signals);
    const own = readObjects(listed, 'data').find(({ fields }) => fields['isCurrent'] === true);
    if (own === undefined) return;
    const path = `/sessions/${encodeURIComponent(String(own.fields['id']))}`;
    const answer = await connection.send('sign out', { method: 'DELETE', path }, { token, signals });
    requireSuccess('sign out', answer, [token, password]);
    logger.log('debug', 'signed-out', { address: settings.host });
  };

  const close = async (): Promise<void> => {
    closing.abort(sessionClosed());
    try {
      await signOut();
    } catch (error) {
      const code = isEndorseError(error) ? error.code : 'ERR_TIMEOUT';
      logger.log('warn', 'sign-out-failed', { address: settings.host, code });
    } finally {
      token.dispose();
      password.dispose();
      connection.drop();
    }
  };

  return {
    user,
    profile,
    get fingerprint() {
      return connection.fingerprint ?? '';
    },
    ...calls,
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => (closed ??= close()),
  };
}

/** The given secret stays its owner's, who may dispose of it once signed in. */
function copy(secret: Secret): Secret {
  const bytes = secret.reveal();
  const copied = Secret.fromBytes(bytes);
  bytes.fill(0);
  return copied;
}

/** A server that restarts may take the answer with it: whether the change was made shows when it is back. */
async function surviveLoss(handOver: () => Promise<void>): Promise<void> {
  try {
    await handOver();
  } catch (error) {
    if (!isNotYet(error)) throw error;
  }
}

/** Errors of a server that is restarting, or of an answer that was lost in its restart. */
function isNotYet(error: unknown): boolean {
  return isEndorseError(error) && /^ERR_(TRANSPORT_\w+|TIMEOUT|GATEWAY_UNAVAILABLE)$/.test(error.code);
}

function notBack(deadlineMs: number): TimeoutError {
  return new TimeoutError(
    `the gateway did not come back within ${deadlineMs} ms`,
    { deadlineMs, state: 'awaiting-return', retryable: true },
    { remedy: 'Look whether it answers at its new port with its new certificate.' },
  );
}

function sessionClosed(): LocalProtocolError {
  return new LocalProtocolError('ERR_SESSION_CLOSED', 'the session with the gateway is closed', {
    state: 'closed',
  });
}
